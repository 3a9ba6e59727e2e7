// An official client over TLS that trusts one authority.
//
//   node run.mjs '{"url": URL, "ca": PEM, "transports": [...]}'
//
// The end of standard input ends it.
import { io } from 'socket.io-client-4.8';

const { url, ca, transports } = JSON.parse(process.argv[2]);
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const socket = io(url, { ca, transports, rejectUnauthorized: true, query: { userId: 'anna' } });

socket.on('connect', () => {
  const { engine } = socket.io;
  const last = transports.at(-1);
  const settled = () => tell({ kind: 'settled', transport: engine.transport.name });
  if (engine.transport.name === last) {
    settled();
  } else {
    engine.once('upgrade', settled);
  }
});
socket.on('connect_error', (error) => tell({ kind: 'refused', message: error.message }));
socket.on('disconnect', (reason) => tell({ kind: 'disconnect', reason }));
socket.on('bookAdded', ({ title }) => tell({ kind: 'bookAdded', title }));
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));

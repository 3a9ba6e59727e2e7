// Runs many official clients in one process.
//
//   node run.mjs '{"url": URL, "clients": [{"name", "role", "transports", "kind", "client": PACKAGE}]}'
//
// A line "report" on standard input prints what each has become, its books as a digest; a line
// "rows NAME" prints one client's books; "reached NUMBER" prints the sequences that all have come to.
// The end of input ends the program.
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';

import { Client } from './client.mjs';

const config = JSON.parse(process.argv[2]);
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const clients = [];
for (const one of config.clients) {
  const { io } = await import(one.client);
  clients.push(new Client(io, config.url, one));
}
tell({ kind: 'running' });

let reports = 0;
function report() {
  tell({
    kind: 'report',
    number: (reports += 1),
    clients: clients.map((client) => {
      const { name, recovered, problems, events, fetches, missed, synced, stats, service } = client;
      const rows = client.rows();
      const digest = createHash('sha256').update(rows.join('\n')).digest('hex');
      return { name, connected: client.socket.connected && synced, recovered, problems, events, fetches, missed, stats, service, books: rows.length, digest };
    }),
  });
}

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  const [command, ...rest] = line.split(' ');
  if (command === 'report') {
    report();
  } else if (command === 'reached') {
    tell({ kind: 'reached', number: Number(rest[0]), sequences: clients.map((client) => client.reached) });
  } else {
    const name = rest.join(' ');
    tell({ kind: 'rows', name, rows: clients.find((client) => client.name === name).rows() });
  }
});
commands.on('close', () => process.exit(0));

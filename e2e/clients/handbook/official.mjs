// Stands where the handbook imports 'socket.io-client'. The client is the official one, untouched;
// only the address (the handbook's port 4000) and, when a test asks for it, `transports` differ
// from what the snippet passes.
import { config, record, sockets } from './recorder.mjs';

const { io: connect } = await import(config.client);

export function io(address, options) {
  const socket = connect(
    address.replace('http://localhost:4000', config.url),
    config.transports ? { ...options, transports: config.transports } : options,
  );
  sockets.push(socket);
  socket.io.on('open', () => {
    const { engine } = socket.io;
    record('opened', { transport: engine.transport.name });
    engine.once('upgrade', (transport) => record('upgraded', { transport: transport.name }));
  });
  socket.on('connect', () => record('connected', {}));
  socket.on('disconnect', (reason) => record('disconnected', { reason }));
  return socket;
}

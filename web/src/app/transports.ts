/** The parts of the official client's Manager and its engine that are used here. */
export interface Transports {
  on(event: 'connect_error', listener: (error: Error) => void): unknown;
  readonly io: { readonly opts: { transports?: unknown } };
}

const webSocketAlone = ['websocket'];
const pollingFirst = ['polling', 'websocket'];

/**
 * How each connection begins. By WebSocket, it is one connection: it takes a round trip less than the client's
 * own way, and before several servers the load balancer need not know which of them has which session. Some
 * networks let no WebSocket through; so after each failure of the connection itself the other way is tried.
 */
export function chooseTransports(socket: Transports): void {
  const { opts } = socket.io;
  let polling = false; // the client replaces what it finds in opts
  opts.transports = webSocketAlone;
  socket.on('connect_error', (error) => {
    // A server that refuses the person was reached.
    if ('data' in error) return;
    polling = !polling;
    opts.transports = polling ? pollingFirst : webSocketAlone;
  });
}

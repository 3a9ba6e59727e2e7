import { expect, it } from 'vitest';
import { chooseTransports } from './transports';

function start() {
  let fail: (error: Error) => void = () => undefined;
  const socket = {
    io: { opts: {} as { transports?: unknown } },
    on(_event: 'connect_error', listener: (error: Error) => void) {
      fail = listener;
    },
  };
  chooseTransports(socket);
  return { transports: () => socket.io.opts.transports, fail: (error: Error) => { fail(error); } };
}

it('begins with WebSocket, and takes turns with polling while connections fail', () => {
  const { transports, fail } = start();
  expect(transports()).toEqual(['websocket']);
  fail(new Error('websocket error'));
  expect(transports()).toEqual(['polling', 'websocket']);
  fail(new Error('xhr poll error'));
  expect(transports()).toEqual(['websocket']);
});

it('keeps its way when the server was reached and refused the person', () => {
  const { transports, fail } = start();
  fail(Object.assign(new Error('Authentication error'), { data: undefined }));
  expect(transports()).toEqual(['websocket']);
});

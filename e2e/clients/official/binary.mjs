// Binary data of every kind that the client knows, and messages as large as the server takes.
import { check, equal } from './play.mjs';

// The bytes of whatever the client gave: an ArrayBuffer in pages, a Buffer in Node.
function bytes(value) {
  check(value instanceof ArrayBuffer || ArrayBuffer.isView(value), `no binary data but ${typeof value}`);
  const view = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return Array.from(view);
}

const ramp = (length) => Uint8Array.from({ length }, (_, i) => i % 251);

// The longest text that fits: the Engine.IO packet 420["echo","..."] then has 1,000,000 bytes.
const longest = 1_000_000 - '420["echo",""]'.length;

export const binary = {
  async 'exchanges typed arrays, views and buffers'(actor) {
    const socket = await actor.settled();
    const whole = ramp(64);
    // Views of part of a buffer; in a page the oldest client sends all of the buffer instead.
    const parts = actor.since(8)
      ? [[whole.subarray(3, 9), whole.slice(3, 9)], [new DataView(whole.buffer, 8, 4), whole.slice(8, 12)]]
      : [];
    for (const [value, want] of [
      ...parts,
      [whole, whole],
      [whole.buffer, whole],
      [new Uint16Array([1, 256]), [1, 0, 0, 1]],
      [new Float64Array([-0.5]), [0, 0, 0, 0, 0, 0, 224, 191]],
      [new Uint8Array(0), []],
    ]) {
      equal(bytes(await actor.request(socket, 'echo', value)), Array.from(want), value.constructor.name);
    }
  },

  async 'exchanges Blobs and Files, or Buffers'(actor) {
    const socket = await actor.settled();
    const parts = [ramp(1000), 'text', ramp(3)];
    const want = [...ramp(1000), 116, 101, 120, 116, ...ramp(3)];
    // Only pages have Blobs that the client can send; Node has Buffers.
    const values = actor.inBrowser
      ? [new Blob(parts), new File(parts, 'name.bin')]
      : [Buffer.from(want), Buffer.concat([Buffer.alloc(5), Buffer.from(want)]).subarray(5)];
    for (const value of values) {
      equal(bytes(await actor.request(socket, 'echo', { value }).then((got) => got.value)), want, value.constructor.name);
    }
  },

  async 'exchanges nested binary data, up to ten pieces'(actor) {
    const socket = await actor.settled();
    const value = { list: [ramp(3), { deep: [null, ramp(0), 'x'] }], n: 1 };
    const back = await actor.request(socket, 'echo', value);
    equal([bytes(back.list[0]), bytes(back.list[1].deep[1]), back.list[1].deep[2], back.n], [[0, 1, 2], [], 'x', 1]);
    const ten = Array.from({ length: 10 }, (_, i) => ramp(i));
    const tenBack = await actor.request(socket, 'echo', ten);
    equal(tenBack.map(bytes), ten.map((one) => Array.from(one)));
  },

  async 'receives the binary data of Go values'(actor) {
    const socket = await actor.settled();
    const made = await actor.request(socket, 'make binary');
    equal([bytes(made.picture), bytes(made.pages[1].scan), made.title], [[1, 2, 3], [255], 'Emma']);
  },

  async 'exchanges messages of 1 MB'(actor) {
    const socket = await actor.settled();
    const text = 'é'.repeat(1000) + 'x'.repeat(longest - 2000);
    const answer = await actor.request(socket, 'echo', text);
    check(answer === text, `${answer.length} characters came back`);
    // By polling, binary data is base64 and takes 4 bytes for 3.
    const large = ramp(actor.transport === 'polling' ? 740_000 : 1_000_000);
    const back = bytes(await actor.request(socket, 'echo', large));
    check(back.length === large.length && back.every((byte, i) => byte === large[i]), `${back.length} bytes came back`);
    const received = actor.next(socket, 'large');
    socket.emit('send large', 3_000_000);
    equal((await received)[0].length, 3_000_000);
  },

  async 'loses its connection by a message over the limit, and comes back'(actor) {
    const socket = await actor.settled('/', { reconnectionDelay: 50, reconnectionDelayMax: 100 });
    const lost = actor.next(socket, 'disconnect');
    const back = actor.next(socket, 'connect');
    socket.emit('echo', 'x'.repeat(longest + 1), () => {});
    const [reason] = await lost;
    check(['transport close', 'transport error'].includes(reason), `disconnected by ${reason}`);
    await back;
    equal(await actor.request(socket, 'echo', 'small'), 'small');
  },
};

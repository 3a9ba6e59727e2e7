// What the official client does with the MessagePack parser of its makers, against
// the server of msgpack_test.go. It ends with 0 when all is well.
import assert from "node:assert/strict";
import { io } from "client-4-8";
import parser from "socket.io-msgpack-parser";

const { transport, url } = JSON.parse(process.argv[2]);
const next = (emitter, name) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${name}`)), 15_000);
    emitter.once(name, (...args) => (clearTimeout(timer), resolve(args)));
  });
const connect = (namespace, options = {}) =>
  io(url + namespace, { parser, forceNew: true, transports: [transport], ...options });

const socket = connect("/", { auth: { token: "abc", nested: [1, { a: null }] } });
const hello = next(socket, "hello");
await next(socket, "connect");
assert.equal(socket.id.length, 20);
assert.deepEqual(await hello, [{ token: "abc", nested: [1, { a: null }] }]);

const bytes = (value) => Buffer.from(value instanceof ArrayBuffer ? new Uint8Array(value) : value);
const samples = [
  1, -1, 0, 127, 128, -32, -33, 65536, 2 ** 32, -(2 ** 31) - 1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1.5, -0.25, 1.5e-300,
  "", "text", "x".repeat(40), "y".repeat(300), "z".repeat(70000), "ünï ✓ 😀 <&>\u2028", true, false, null,
  [], {}, [[[]]], { a: { b: [1, 2, { c: "d" }] } }, Array.from({ length: 20 }, (_, i) => i),
  Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])),
];
for (const sample of samples) {
  assert.deepEqual(await socket.timeout(15_000).emitWithAck("echo", sample), sample);
}
assert.equal(await socket.emitWithAck("echo", undefined), null);
assert.equal(await socket.emitWithAck("echo", new Date(1700000000123)), "2023-11-14T22:13:20.123Z");

// Binary data keeps its place, at any depth.
for (const size of [0, 1, 255, 256, 70000]) {
  const data = Buffer.alloc(size, 7);
  assert.deepEqual(bytes(await socket.emitWithAck("echo", data)), data);
}
const mixed = await socket.emitWithAck("echo", { a: [Buffer.from([1, 2]), { b: new Uint8Array([3]) }], n: 4 });
assert.deepEqual(bytes(mixed.a[0]), Buffer.from([1, 2]));
assert.deepEqual(bytes(mixed.a[1].b), Buffer.from([3]));
assert.equal(mixed.n, 4);

// The server asks, and tells a room.
socket.on("ask", (x, acknowledge) => acknowledge(x * 2));
socket.emit("ask me");
assert.deepEqual(await next(socket, "answered"), [42]);
socket.emit("shout", { loud: Buffer.from([9]) });
const [shout] = await next(socket, "shouted");
assert.deepEqual(bytes(shout.loud), Buffer.from([9]));

// Namespaces, refusals and goodbyes.
const refused = connect("/refused");
const [error] = await next(refused, "connect_error");
assert.equal(error.message, "no");
assert.deepEqual(error.data, { why: ["because"] });
const unknown = connect("/unknown");
assert.equal((await next(unknown, "connect_error"))[0].message, "Invalid namespace");
socket.emit("bye");
assert.equal((await next(socket, "disconnect"))[0], "io server disconnect");
for (const s of [refused, unknown, socket]) s.disconnect();

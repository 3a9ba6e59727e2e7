// What official clients of two servers see of each other, against official_test.go. It ends with 0
// when all is well.
import assert from "node:assert/strict";
import { io } from "socket.io-client";

const { transport, urls } = JSON.parse(process.argv[2]);

// Whatever happens on the way, the events that a socket has received can be awaited later.
async function connect(url, name) {
  const socket = io(url, { forceNew: true, transports: [transport], auth: { name } });
  const got = [];
  const waiting = [];
  socket.onAny((...event) => (waiting.length > 0 ? waiting.shift()(event) : got.push(event)));
  socket.next = () =>
    new Promise((resolve, reject) => {
      if (got.length > 0) return resolve(got.shift());
      const timer = setTimeout(() => reject(new Error(`${name} waited in vain`)), 15_000);
      waiting.push((event) => (clearTimeout(timer), resolve(event)));
    });
  socket.on("confirm", (question, answer) => answer(`${name} confirms ${question}`));
  await new Promise((resolve, reject) => (socket.once("connect", resolve), socket.once("connect_error", reject)));
  return socket;
}

const ann = await connect(urls[0], "ann");
const bob = await connect(urls[0], "bob");
const cem = await connect(urls[1], "cem");
const everybody = [ann, bob, cem];

// A broadcast, with binary data.
ann.emit("to all", Buffer.from([1, 2, 255]));
for (const socket of everybody) assert.deepEqual(await socket.next(), ["said", "ann", Buffer.from([1, 2, 255])]);

// A room whose members are on both servers; the sender is left out.
await Promise.all([ann, cem].map((socket) => socket.emitWithAck("enter", "room")));
cem.emit("to room", "room", "<hello>");
assert.deepEqual(await ann.next(), ["said", "cem", "<hello>"]);
ann.emit("to room", "room", "again");
assert.deepEqual(await cem.next(), ["said", "ann", "again"]);

// An event that all clients acknowledge.
const confirmed = await cem.emitWithAck("ask all", "it");
assert.deepEqual(confirmed.sort(), ["ann confirms it", "bob confirms it", "cem confirms it"]);
for (const socket of everybody) assert.equal((await socket.next())[0], "confirm");

// Who is where, asked on either server.
for (const socket of [ann, cem]) {
  const names = (await socket.emitWithAck("who is in", "room")).sort();
  assert.deepEqual(names, ["ann", "cem"]);
}

// Another server's client enters a room, leaves it, and is disconnected.
await bob.emitWithAck("move", cem.id, "room", "attic");
bob.emit("to room", "attic", "you are here");
assert.deepEqual(await cem.next(), ["said", "bob", "you are here"]);
const gone = new Promise((resolve) => cem.once("disconnect", resolve));
await ann.emitWithAck("expel", cem.id);
assert.equal(await gone, "io server disconnect");
assert.deepEqual(await ann.emitWithAck("who is in", "attic"), []);

for (const socket of everybody) socket.disconnect();

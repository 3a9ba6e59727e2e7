// What the official client makes of connection state recovery, against the server of
// staterecovery_official_test.go. It ends with 0 when all is well.
import assert from "node:assert/strict";
import { io } from "client-4-8";

const { transport, url } = JSON.parse(process.argv[2]);
const next = (emitter, name) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${name}`)), 15_000);
    emitter.once(name, (...args) => (clearTimeout(timer), resolve(args)));
  });

const control = io(url + "/control", { forceNew: true, transports: ["websocket"] });
await next(control, "connect");
const options = { forceNew: true, transports: [transport], reconnectionDelay: 200, reconnectionDelayMax: 300 };

// lose breaks the connection; the server emits n events meanwhile.
async function lose(socket, n) {
  const gone = next(socket, "disconnect");
  socket.io.engine.close();
  await gone;
  const got = [];
  socket.onAny((name, ...args) => got.push([name, args[0]]));
  const back = next(socket, "connect");
  await control.emitWithAck("emit", n);
  await back;
  await control.emitWithAck("emit last");
  while (!got.some(([name]) => name === "last")) await next(socket, "last");
  socket.offAny();
  return got.filter(([name]) => name !== "last");
}

const numbers = (n) => Array.from({ length: n }, (_, i) => ["missed", i]);

// Nothing was received before the loss (#5538).
const fresh = io(url, options);
await next(fresh, "connect");
assert.equal(fresh.recovered, false);
const id = fresh.id;
assert.deepEqual(await lose(fresh, 3), numbers(3));
assert.equal(fresh.recovered, true);
assert.equal(fresh.id, id);

// Again, with offsets of what was replayed (#5419).
assert.deepEqual(await lose(fresh, 2), numbers(2));
assert.equal(fresh.recovered, true);

// A volatile event that ends in a string came last (#5539).
let volatile = false;
fresh.once("volatile", () => (volatile = true));
while (!volatile) await control.emitWithAck("emit volatile"); // dropped while no poll waits
assert.deepEqual(await lose(fresh, 2), numbers(2));
assert.equal(fresh.recovered, true);

// Nothing at all was missed.
assert.deepEqual(await lose(fresh, 0), []);
assert.equal(fresh.recovered, true);

// A client that said goodbye begins anew.
fresh.disconnect();
fresh.connect();
await next(fresh, "connect");
assert.equal(fresh.recovered, false);
assert.notEqual(fresh.id, id);
fresh.disconnect();
control.disconnect();

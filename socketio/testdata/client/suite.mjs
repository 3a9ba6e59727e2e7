// Runs the scenarios below with one version of the official client against the
// server of official_test.go, and prints one JSON object a line:
// {"name","ok","error"} for a scenario, {"ask"} for what the test has to do, which
// answers with a line on standard input.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { once } from "node:events";
import { io as io40 } from "client-4-0";
import { io as io45 } from "client-4-5";
import { io as io48 } from "client-4-8";

const { version, transport, url } = JSON.parse(process.argv[2]);
const io = { "4.0": io40, 4.5: io45, 4.8: io48 }[version];
const patience = 15_000;

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const tell = (message) => process.stdout.write(JSON.stringify(message) + "\n");
const ask = async (what) => {
  tell({ ask: what });
  await answers.next();
};

const open = [];

// A socket with the client's default options but for the transports of this run.
function connect(namespace = "/", options = {}) {
  const transports = transport === "default" ? {} : { transports: [transport] };
  const socket = io(url + namespace, { forceNew: true, ...transports, ...options });
  open.push(socket);
  return socket;
}

// What the socket receives next under a name: its arguments.
function next(emitter, name) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${name}`)), patience);
    emitter.once(name, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

// The acknowledgement of an event: its first argument.
function request(socket, ...args) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ack for ${args[0]}`)), patience);
    socket.emit(...args, (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

async function connected(namespace, options) {
  const socket = connect(namespace, options);
  await next(socket, "connect");
  return socket;
}

const scenarios = {
  async "connects"() {
    const socket = connect();
    const hello = next(socket, "hello");
    await next(socket, "connect");
    assert.equal(socket.id.length, 20);
    assert.deepEqual(await hello, [socket.id]); // emitted by the connection handler
    if (transport === "default" && socket.io.engine.transport.name === "polling") {
      await next(socket.io.engine, "upgrade");
    }
    assert.equal(await request(socket, "echo", "still there"), "still there");
    assert.equal(socket.io.engine.transport.name, transport === "polling" ? "polling" : "websocket");
  },

  async "sends auth and query"() {
    const socket = await connected("/", { auth: { token: "abc", n: 1 }, query: { userId: "ann&bob", role: "reader" } });
    assert.deepEqual(await request(socket, "who"), {
      auth: { token: "abc", n: 1 }, userId: "ann&bob", role: "reader",
    });
  },

  async "calls auth as a function"() {
    const socket = await connected("/", { auth: (give) => give({ token: "made" }) });
    assert.equal((await request(socket, "who")).auth.token, "made");
  },

  async "exchanges events"() {
    const socket = await connected();
    const values = [1, -2.5, "ünïcode \u2028 \" \\ <b>", null, true, [], {}, { deep: [{ er: [null] }] }];
    const back = next(socket, "message-back");
    socket.emit("message", ...values);
    assert.deepEqual(await back, values);
    const none = next(socket, "message-back");
    socket.emit("message");
    assert.deepEqual(await none, []);
  },

  async "acknowledges both ways"() {
    const socket = await connected();
    socket.on("question", (a, b, answer) => answer(a + b, { from: socket.id }));
    assert.deepEqual(await request(socket, "ask me"), { sum: 5, from: socket.id });
  },

  async "exchanges binary data, nested"() {
    const socket = await connected();
    const value = { list: [Buffer.from([1, 2, 3]), { inner: Buffer.alloc(0) }], text: "x", big: Buffer.alloc(100_000, 7) };
    const back = next(socket, "message-back");
    socket.emit("message", value, Buffer.from("tail"));
    assert.deepEqual(await back, [value, Buffer.from("tail")]);
    assert.deepEqual(await request(socket, "echo", { b: Buffer.from([9]) }), { b: Buffer.from([9]) });
    const ten = Array.from({ length: 10 }, (_, i) => Buffer.from([i]));
    assert.deepEqual(await request(socket, "echo", ten), ten);
  },

  async "keeps 1000 messages in order each way, over the upgrade"() {
    const socket = connect();
    const count = 1000;
    const received = [];
    const complete = new Promise((resolve) => {
      socket.on("n", (n) => {
        received.push(n);
        if (received.length === count) resolve();
      });
    });
    await next(socket, "connect");
    socket.emit("stream", count);
    for (let i = 0; i < count; i++) {
      socket.emit("collect", i);
      if (i % 50 === 0) await new Promise(setImmediate); // spread over several requests
    }
    const collected = await request(socket, "collected");
    await Promise.race([complete, new Promise((_, reject) => setTimeout(() => reject(new Error(`${received.length} came`)), patience))]);
    const expected = Array.from({ length: count }, (_, i) => i);
    assert.deepEqual(received, expected);
    assert.deepEqual(collected, expected);
  },

  async "receives volatile events"() {
    const socket = await connected();
    // Dropped while the client cannot take it at once, so asked for repeatedly.
    let seen = false;
    socket.on("volatile", () => (seen = true));
    for (let i = 0; i < 200 && !seen; i++) await request(socket, "send volatile");
    assert.ok(seen);
    socket.volatile.emit("message", "from a volatile client");
    await request(socket, "echo", 1);
  },

  async "talks in several namespaces over one connection"() {
    const main = await connected();
    const chat = main.io.socket("/chat");
    open.push(chat);
    if (!chat.connected) await next(chat, "connect");
    assert.notEqual(chat.id, main.id);
    assert.equal(await request(chat, "where"), "/chat");
    assert.equal(await request(main, "echo", "main"), "main");
    chat.disconnect();
    assert.equal(await request(main, "echo", "without chat"), "without chat");
    chat.connect();
    await next(chat, "connect");
    assert.equal(await request(chat, "where"), "/chat");
  },

  async "learns of an unknown namespace"() {
    const [error] = await next(connect("/nowhere"), "connect_error");
    assert.equal(error.message, "Invalid namespace");
  },

  async "learns why a middleware refused it"() {
    const socket = connect("/guarded", { auth: { token: "wrong" } });
    const [error] = await next(socket, "connect_error");
    assert.equal(error.message, "not authorized");
    assert.deepEqual(error.data, { code: 401, hint: "token" });
    socket.auth = { token: "right" };
    socket.connect();
    await next(socket, "connect");
  },

  async "joins rooms and hears broadcasts"() {
    const [a, b, c] = [await connected(), await connected(), await connected()];
    await request(a, "join", "readers");
    await request(b, "join", "readers");
    const heard = [];
    for (const [name, socket] of Object.entries({ a, b, c })) {
      socket.on("news", (text) => heard.push(`${name}:${text}`));
    }
    await request(a, "tell", "readers", "to the room");
    await request(a, "tell others", "readers", "from a");
    await Promise.all([a, b, c].map((socket) => request(socket, "echo", 0)));
    await Promise.all([a, b, c].map((socket) => request(socket, "echo", 0)));
    assert.deepEqual(heard.sort(), ["a:to the room", "b:from a", "b:to the room"]);
  },

  async "gives both sides the disconnect reasons"() {
    const monitor = await connected();
    await request(monitor, "join", "monitors");
    const gone = (id) =>
      new Promise((resolve) => monitor.on("gone", (other, reason) => other === id && resolve(reason)));
    const end = async (how) => {
      const socket = await connected("/", { reconnection: false });
      if (transport === "default" && socket.io.engine.transport.name === "polling") {
        await next(socket.io.engine, "upgrade");
      }
      const server = gone(socket.id);
      const client = next(socket, "disconnect");
      how(socket);
      return [(await client)[0], await server];
    };
    assert.deepEqual(await end((s) => s.disconnect()), ["io client disconnect", "client namespace disconnect"]);
    assert.deepEqual(await end((s) => s.emit("kick", false)), ["io server disconnect", "server namespace disconnect"]);
    assert.deepEqual(await end((s) => s.emit("kick", true)), ["io server disconnect", "server namespace disconnect"]);
    assert.deepEqual(await end((s) => s.emit("break")), ["io server disconnect", "server namespace disconnect"]);
    assert.deepEqual(await end((s) => s.io.engine.close()), ["forced close", "transport close"]);
    assert.deepEqual(await end((s) => s.io.engine.write("x")), ["transport close", "forced close"]);
  },

  async "comes back after the server restarts"() {
    const socket = await connected("/", { reconnectionDelay: 50, reconnectionDelayMax: 100 });
    const before = socket.id;
    const lost = next(socket, "disconnect");
    const back = next(socket, "connect");
    await ask("restart");
    const [reason] = await lost;
    assert.ok(["transport close", "transport error"].includes(reason), reason);
    await back;
    assert.notEqual(socket.id, before);
    assert.equal(await request(socket, "echo", "again"), "again");
  },
};

for (const [name, run] of Object.entries(scenarios)) {
  let error = null;
  try {
    await run();
  } catch (e) {
    error = e.stack ?? String(e);
  }
  tell({ name, ok: error === null, error });
  for (const socket of open.splice(0)) {
    socket.disconnect();
    socket.io._close?.();
  }
}
process.exit(0);

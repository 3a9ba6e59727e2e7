// Plays the scenarios with the official clients, in Node or in a page; whoever loads this gives what
// differs: { clients: version → io, url, stage, inBrowser }.
//
// Each result is posted to the stage, the test's own HTTP server, as {"run", "name", "error"}; the
// end is {"played": number}. What the test has to do is asked for by POST /ask/WHAT and is done when
// the answer comes.
import { basics } from './basics.mjs';
import { binary } from './binary.mjs';
import { delivery } from './delivery.mjs';

// How long anything may take before it counts as never.
const patience = 20_000;

export function equal(got, want, what = 'value') {
  const [left, right] = [JSON.stringify(got), JSON.stringify(want)];
  if (left !== right) {
    throw new Error(`${what} is ${left?.slice(0, 500)}, want ${right?.slice(0, 500)}`);
  }
}

export function check(condition, what) {
  if (!condition) {
    throw new Error(what);
  }
}

// A scenario's hands: sockets that are closed after it, and what it waits for.
class Actor {
  sockets = [];

  constructor(settings) {
    Object.assign(this, settings);
  }

  // Whether the client is at least of this minor version of 4.
  since(minor) {
    return Number(this.version.split('.')[1]) >= minor;
  }

  // A socket with the client's default options but for the transports of this run.
  open(namespace = '/', options = {}) {
    const transports = this.transport === 'default' ? {} : { transports: [this.transport] };
    const socket = this.io(this.url + namespace, { forceNew: true, ...transports, ...options });
    this.sockets.push(socket);
    return socket;
  }

  async connected(namespace, options) {
    const socket = this.open(namespace, options);
    await this.next(socket, 'connect');
    return socket;
  }

  // Connected, and on the transport that it will stay on.
  async settled(namespace, options) {
    const socket = await this.connected(namespace, options);
    if (this.transport === 'default' && socket.io.engine.transport.name === 'polling') {
      await this.next(socket.io.engine, 'upgrade');
    }
    return socket;
  }

  // The arguments of the next event of a name.
  next(emitter, name) {
    return this.within(name, (resolve) => emitter.once(name, (...args) => resolve(args)));
  }

  // The first argument of an event's acknowledgement.
  request(socket, ...args) {
    return this.within(`the answer to ${args[0]}`, (resolve) => socket.emit(...args, resolve));
  }

  // Waits until the server has what was sent on a connection: another namespace on it is answered.
  async arrived(manager) {
    const chat = manager.socket('/chat');
    this.sockets.push(chat);
    await this.next(chat, 'connect');
    await this.request(chat, 'echo', 0);
    chat.disconnect();
  }

  within(what, wait) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), patience);
      wait((value) => {
        clearTimeout(timer);
        resolve(value);
      });
    });
  }

  ask(what) {
    return this.post(`/ask/${what}`, {});
  }

  async post(path, body) {
    const response = await fetch(this.stage + path, { method: 'POST', body: JSON.stringify(body) });
    check(response.ok, `the stage answers ${response.status} to ${path}`);
  }

  // Why a scenario fails, or null.
  async perform(scenario) {
    try {
      await (scenario.run ?? scenario)(this);
      return null;
    } catch (problem) {
      return `${problem.message}\n${problem.stack}`;
    } finally {
      this.leave();
    }
  }

  leave() {
    for (const socket of this.sockets.splice(0)) {
      socket.disconnect();
      socket.io._close();
    }
  }
}

// Every version over each way that the transports can be set.
export async function play({ clients, url, stage, inBrowser }) {
  let played = 0;
  for (const [version, io] of Object.entries(clients)) {
    for (const transport of ['default', 'websocket', 'polling']) {
      const actor = new Actor({ io, version, transport, url, stage, inBrowser });
      // In Node the package's own tests play the basics already.
      for (const [name, scenario] of Object.entries({ ...(inBrowser ? basics : {}), ...binary, ...delivery })) {
        if (!scenario.since || actor.since(scenario.since)) {
          await actor.post('/result', { run: `${version} ${transport}`, name, error: await actor.perform(scenario) });
          played += 1;
        }
      }
    }
  }
  await new Actor({ stage }).post('/result', { played });
}

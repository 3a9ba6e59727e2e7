// What every application does: connect, be refused, talk, be cut off and come back.
import { check, equal } from './play.mjs';

const numbers = (count) => Array.from({ length: count }, (_, i) => i);

export const basics = {
  async 'connects, and settles on the best transport'(actor) {
    const socket = await actor.settled();
    equal(await actor.request(socket, 'echo', 'hello'), 'hello');
    equal(socket.io.engine.transport.name, actor.transport === 'polling' ? 'polling' : 'websocket');
  },

  async 'sends auth, an object or a function, and query'(actor) {
    const socket = await actor.connected('/', { auth: { token: 'ünïcode', n: [1] }, query: { from: 'a&b=c' } });
    equal(await actor.request(socket, 'who'), { auth: { token: 'ünïcode', n: [1] }, from: 'a&b=c' });
    const other = await actor.connected('/', { auth: (give) => give({ token: 'made' }) });
    equal((await actor.request(other, 'who')).auth, { token: 'made' });
  },

  async 'learns from connect_error why a middleware refused it'(actor) {
    const socket = actor.open('/guarded', { auth: { token: 'wrong' } });
    const [error] = await actor.next(socket, 'connect_error');
    check(error instanceof Error, 'connect_error has no Error');
    equal([error.message, error.data], ['not authorized', { code: 401, hint: ['log in'] }]);
    socket.auth = { token: 'right' };
    socket.connect();
    await actor.next(socket, 'connect');
  },

  async 'learns of an unknown namespace'(actor) {
    const [error] = await actor.next(actor.open('/nowhere'), 'connect_error');
    equal(error.message, 'Invalid namespace');
  },

  async 'talks in several namespaces over one connection'(actor) {
    const main = await actor.connected();
    const chat = main.io.socket('/chat');
    actor.sockets.push(chat);
    if (!chat.connected) {
      await actor.next(chat, 'connect');
    }
    check(chat.id !== main.id, 'two namespaces share an id');
    equal(await actor.request(chat, 'where'), '/chat');
    equal(await actor.request(main, 'where'), '/');
    chat.disconnect();
    equal(await actor.request(main, 'echo', 'alone'), 'alone');
    chat.connect();
    await actor.next(chat, 'connect');
    equal(await actor.request(chat, 'where'), '/chat');
  },

  async 'keeps 1,000 messages in order each way, over the upgrade'(actor) {
    const socket = actor.open();
    const count = 1000;
    const received = [];
    const all = actor.within('all messages', (resolve) => {
      socket.on('n', (n) => {
        received.push(n);
        if (received.length === count) {
          resolve();
        }
      });
    });
    await actor.next(socket, 'connect');
    socket.emit('stream', count);
    for (let i = 0; i < count; i += 1) {
      socket.emit('collect', i);
      if (i % 50 === 0) {
        await new Promise((resolve) => { setTimeout(resolve); }); // spread over several requests
      }
    }
    equal(await actor.request(socket, 'collected'), numbers(count), 'what the server got');
    await all;
    equal(received, numbers(count), 'what came');
  },

  async 'sends and receives volatile events'(actor) {
    const socket = await actor.settled();
    let seen = false;
    socket.on('volatile', () => { seen = true; });
    // Dropped while the client cannot take it at once, so asked for repeatedly.
    for (let i = 0; i < 200 && !seen; i += 1) {
      await actor.request(socket, 'send volatile');
    }
    check(seen, 'no volatile event came');
    let answered = false;
    for (let i = 0; i < 200 && !answered; i += 1) {
      socket.volatile.emit('echo', 1, () => { answered = true; });
      await actor.request(socket, 'echo', 2);
    }
    check(answered, 'no volatile event arrived');
  },

  async 'is told to go, and does not come back by itself'(actor) {
    const socket = await actor.settled();
    const gone = actor.next(socket, 'disconnect');
    socket.emit('kick');
    equal((await gone)[0], 'io server disconnect');
    check(!socket.active, 'the client means to come back');
  },

  async 'comes back after the server restarts'(actor) {
    const socket = await actor.settled('/', { reconnectionDelay: 50, reconnectionDelayMax: 100 });
    const before = socket.id;
    const lost = actor.next(socket, 'disconnect');
    const back = actor.next(socket, 'connect');
    await actor.ask('restart');
    const [reason] = await lost;
    check(['transport close', 'transport error'].includes(reason), `disconnected by ${reason}`);
    await back;
    check(socket.id !== before, 'the id is the old one');
    equal(await actor.request(socket, 'echo', 'again'), 'again');
  },
};

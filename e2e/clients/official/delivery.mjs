// What the client promises about delivery: acknowledgements with timeouts, and retries. The minor
// versions say since when it does.
import { check, equal } from './play.mjs';

const failure = (promise) => promise.then((value) => { throw new Error(`it succeeded with ${value}`); }, (error) => error);

export const delivery = {
  'gets answers in time': {
    since: 4,
    async run(actor) {
      const socket = await actor.connected();
      const [error, answer] = await actor.within('an answer', (resolve) => {
        socket.timeout(15_000).emit('echo', { a: 1 }, (...args) => resolve(args));
      });
      equal([error, answer], [null, { a: 1 }]);
    },
  },

  'gives up on an answer after its timeout, and ignores it when it comes': {
    since: 4,
    async run(actor) {
      const socket = await actor.connected();
      const calls = [];
      const first = actor.within('the timeout', (resolve) => {
        socket.timeout(100).emit('answer when told', (...args) => {
          calls.push(args);
          resolve();
        });
      });
      await first;
      check(calls[0][0] instanceof Error, 'no error');
      equal(calls[0][0].message, 'operation has timed out');
      equal(await actor.request(socket, 'answer now'), 'answered');
      equal(await actor.request(socket, 'echo', 'after it'), 'after it');
      equal(calls.length, 1, 'number of calls');
    },
  },

  'waits for answers with emitWithAck': {
    since: 6,
    async run(actor) {
      const socket = await actor.connected();
      equal(await socket.emitWithAck('echo', 5), 5);
      equal(await socket.timeout(15_000).emitWithAck('echo', 6), 6);
      const error = await failure(socket.timeout(50).emitWithAck('never'));
      equal(error.message, 'operation has timed out');
    },
  },

  async 'lets the server wait for its answers, and give up'(actor) {
    const socket = await actor.connected();
    socket.on('question', (a, b, answer) => answer(a + b, { from: socket.id }));
    equal(await actor.request(socket, 'ask me'), { from: socket.id, sum: 5 });
    socket.off('question');
    equal(await actor.request(socket, 'ask me'), 'context deadline exceeded');
    socket.on('question', (a, b, answer) => {
      answer(a + b, {});
      answer(7); // the client's own business: nothing is sent
    });
    equal((await actor.request(socket, 'ask me')).sum, 5);
  },

  'learns at once that an answer will not come': {
    since: 8,
    async run(actor) {
      const socket = await actor.settled('/', { reconnection: false });
      const failed = failure(socket.timeout(60_000).emitWithAck('never'));
      socket.emit('kick');
      equal((await failed).message, 'socket has been disconnected');
    },
  },

  'tries again until it is answered, in order': {
    since: 6,
    async run(actor) {
      const socket = await actor.connected('/', { retries: 3, ackTimeout: 300 });
      // The server leaves the first two tries of every other one unanswered.
      const answers = await Promise.all(
        ['even 0', 'odd 1', 'even 2', 'odd 3'].map((name) =>
          actor.within(name, (resolve) => socket.emit('flaky', name, (error, tries) => resolve([error, tries])))),
      );
      equal(answers, [[null, 1], [null, 3], [null, 1], [null, 3]]);
      equal(await actor.within('the order', (resolve) => socket.emit('flaky order', (error, names) => resolve(names))),
        ['even 0', 'odd 1', 'odd 1', 'odd 1', 'even 2', 'odd 3', 'odd 3', 'odd 3']);
    },
  },

  'gives up after its retries': {
    since: 6,
    async run(actor) {
      const socket = await actor.connected('/', { retries: 1, ackTimeout: 1_000 }); // the echo below must come within it
      const [error] = await actor.within('the end of the tries', (resolve) => {
        socket.emit('never', (...args) => resolve(args));
      });
      equal(error.message, 'operation has timed out');
      equal((await actor.within('an answer', (resolve) => socket.emit('echo', 1, (_, value) => resolve([value]))))[0], 1);
    },
  },

  'delivers after a restart what was not answered before': {
    since: 6,
    async run(actor) {
      const socket = await actor.settled('/', {
        retries: 10, ackTimeout: 10_000, reconnectionDelay: 50, reconnectionDelayMax: 100,
      });
      const back = actor.next(socket, 'disconnect').then(() => actor.next(socket, 'connect'));
      const text = `kept ${Math.random()}`;
      let answered = false;
      const answer = actor.within('the answer', (resolve) => {
        // The first try arrives and gets no answer; the next one is made on the next connection.
        socket.emit('answer the second time', text, (error, value) => {
          answered = true;
          resolve([error, value]);
        });
      });
      await actor.arrived(socket.io);
      check(!answered, 'the first try was answered');
      await actor.ask('restart');
      await back;
      equal(await answer, [null, text]);
    },
  },

  async 'keeps what was sent while there was no connection'(actor) {
    const socket = await actor.settled('/', { reconnectionDelay: 50, reconnectionDelayMax: 100 });
    const lost = actor.next(socket, 'disconnect');
    const stopped = actor.ask('stop');
    await lost;
    await stopped;
    for (let i = 0; i < 20; i += 1) {
      socket.emit('collect', i);
    }
    const collected = actor.request(socket, 'collected');
    await actor.ask('start');
    equal(await collected, Array.from({ length: 20 }, (_, i) => i));
  },
};

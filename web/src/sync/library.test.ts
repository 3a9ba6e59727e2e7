import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Activity } from './activity';
import { ApiError } from './rest';
import { Library, OFFLINE_AFTER } from './library';
import { FakeServer, read, type FakeSocket } from './testing/fakeServer';

const ME = 'demoUser1';
const identity = { userId: ME, role: 'owner', mayEdit: true } as const;

let server: FakeServer;
let socket: FakeSocket;
let library: Library;
let release: () => void;
let news: Activity[];

/** Lets everything run that is due now. */
const settle = () => vi.advanceTimersByTimeAsync(60);

beforeEach(() => {
  vi.useFakeTimers();
  server = new FakeServer();
  socket = server.socket();
  library = new Library({ identity, socket, api: server.api(ME), random: () => 0.5 });
  news = [];
  library.activity.observe((batch) => news.push(...batch));
});

afterEach(() => {
  release();
  vi.useRealTimers();
});

function start(): void {
  release = library.retain();
}

const shown = () => library.books().map((book) => book.title).sort();
const truth = () => [...server.books.values()].map((book) => read(book, ME)).sort((a, b) => a.id - b.id);
const mine = () => [...library.books()].sort((a, b) => a.id - b.id);

async function favor(id: number, on: boolean): Promise<void> {
  const book = library.book(id);
  if (book) await library.setFavorite(book, on).catch(() => undefined);
}
async function take(id: number): Promise<void> {
  const book = library.book(id);
  if (book) await library.remove(book).catch(() => undefined);
}

describe('joining', () => {
  it('is live after one snapshot, and tells what happens from then on', async () => {
    server.add({ title: 'Emma' });
    start();
    expect(library.connection()).toEqual({ status: 'catching-up', first: true });
    await settle();
    expect(library.connection()).toEqual({ status: 'live' });
    expect(library.catalogueStatus()).toEqual({ status: 'ready' });
    server.add({ title: 'Faust' });
    expect(shown()).toEqual(['Emma', 'Faust']);
    expect(server.snapshots).toBe(1);
    expect(news).toMatchObject([{ kind: 'added', title: 'Faust', own: false, missed: false }]);
  });

  it('keeps events that overtake the snapshot, and applies those it lacks', async () => {
    server.add({ title: 'before' });
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    start();
    await settle();
    const book = server.add({ title: 'while it was on its way' });
    server.change(book.id, { title: 'and changed' });
    expect(shown()).toEqual([]);
    open();
    await settle();
    expect(shown()).toEqual(['and changed', 'before']);
    expect(library.connection()).toEqual({ status: 'live' });
    expect(server.snapshots).toBe(1);
  });

  it('does not trust a snapshot from before the socket joined', async () => {
    const api = server.api(ME);
    const early = server.snapshot(ME);
    server.add({ title: 'between snapshot and socket' });
    const fetches = vi.fn().mockResolvedValueOnce(early).mockImplementation(() => Promise.resolve(server.snapshot(ME)));
    library = new Library({ identity, socket, api: { ...api, snapshot: fetches }, random: () => 0.5 });
    start();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(shown()).toEqual(['between snapshot and socket']);
    expect(fetches).toHaveBeenCalledTimes(2);
    expect(library.connection()).toEqual({ status: 'live' });
  });

  it('says why there is nothing to show, and goes on trying', async () => {
    server.reachable = false;
    start();
    await settle();
    expect(library.catalogueStatus()).toMatchObject({ status: 'failed', error: { kind: 'unreachable' } });
    expect(library.connection().status).toBe('reconnecting');
    server.add({ title: 'Emma' });
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(library.connection()).toEqual({ status: 'live' });
    expect(shown()).toEqual(['Emma']);
  });
});

describe('coming back', () => {
  it('after a recovery applies the replay and fetches nothing', async () => {
    server.add({ title: 'Emma' });
    start();
    await settle();
    const from = server.sequence;
    socket.cut();
    expect(library.connection()).toMatchObject({ status: 'reconnecting', attempt: 1 });
    server.add({ title: 'Faust' });
    server.accept(socket, from);
    expect(shown()).toEqual(['Emma', 'Faust']);
    expect(library.connection()).toEqual({ status: 'live' });
    expect(server.snapshots).toBe(1);
    expect(news).toMatchObject([{ title: 'Faust', missed: true }]);
  });

  it('without a recovery fetches once, after a jitter, though it is told twice', async () => {
    server.add({ title: 'Emma' });
    start();
    await settle();
    socket.cut();
    server.add({ title: 'Faust' });
    server.remove([...server.books.keys()][0] ?? 0);
    await vi.advanceTimersByTimeAsync(500);
    expect(socket.connected).toBe(true);
    expect(library.connection()).toEqual({ status: 'catching-up', first: false });
    expect(server.snapshots).toBe(1);
    server.add({ title: 'Ulysses' });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(server.snapshots).toBe(2);
    expect(shown()).toEqual(['Faust', 'Ulysses']);
    expect(library.connection()).toEqual({ status: 'live' });
    expect(news.filter((entry) => entry.missed).map((entry) => entry.kind).sort()).toEqual(['added', 'added', 'removed']);
  });

  it('without a recovery and with nothing missed is live at once', async () => {
    server.add({ title: 'Emma' });
    start();
    await settle();
    socket.cut();
    await vi.advanceTimersByTimeAsync(500);
    expect(library.connection()).toEqual({ status: 'live' });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(server.snapshots).toBe(1);
  });

  it('to another log starts over', async () => {
    server.add({ title: 'Emma' });
    start();
    await settle();
    socket.cut();
    server.epoch = 'e2';
    server.sequence = 0;
    server.books.clear();
    server.add({ title: 'A new life' });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(shown()).toEqual(['A new life']);
  });

  it('to an older copy of the same log shows what that one has', async () => {
    server.add({ title: 'Emma' });
    const copy = new Map(server.books);
    start();
    await settle();
    server.add({ title: 'After the copy was made' });
    expect(shown()).toHaveLength(2);
    socket.cut();
    server.sequence = 1;
    server.books.delete([...server.books.keys()].find((id) => !copy.has(id)) ?? 0);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(shown()).toEqual(['Emma']);
    server.add({ title: 'Faust' });
    expect(shown()).toEqual(['Emma', 'Faust']);
    expect(library.connection()).toEqual({ status: 'live' });
  });

  it('waits longer from try to try, says when the next one is, and calls it offline after a while', async () => {
    start();
    await settle();
    server.reachable = false;
    socket.cut();
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      const state = library.connection();
      if (state.status !== 'reconnecting' && state.status !== 'offline') throw new Error(state.status);
      expect(state.attempt).toBe(attempt);
      const wait = (state.nextTry ?? 0) - Date.now();
      waits.push(wait);
      await vi.advanceTimersByTimeAsync(wait);
    }
    expect(waits).toEqual([375, 750, 1500, 3000, 3750, 3750]);
    await vi.advanceTimersByTimeAsync(OFFLINE_AFTER);
    expect(library.connection().status).toBe('offline');
    server.reachable = true;
    library.retryNow();
    await settle();
    expect(library.connection()).toEqual({ status: 'live' });
  });

  it('tries at once when the browser says that there is a network again', async () => {
    start();
    await settle();
    server.reachable = false;
    socket.cut();
    await vi.advanceTimersByTimeAsync(4_000);
    server.reachable = true;
    window.dispatchEvent(new Event('online'));
    await settle();
    expect(library.connection()).toEqual({ status: 'live' });
  });
});

describe('random cuts, writes and recoveries', () => {
  it('always end at the server’s own state', async () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      let state = seed * 7919;
      const random = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      server = new FakeServer();
      socket = server.socket();
      library = new Library({ identity, socket, api: server.api(ME), random });
      const stop = library.retain();
      let heard = 0;
      for (let step = 0; step < 60; step += 1) {
        const ids = [...server.books.keys()];
        const id = ids[Math.floor(random() * ids.length)];
        const dice = random();
        if (dice < 0.25 || id === undefined) server.add({ title: `Book ${step}` });
        else if (dice < 0.4) server.change(id, { title: `Changed ${step}` });
        else if (dice < 0.48) server.remove(id);
        else if (dice < 0.6) server.favorite(id, `user${Math.floor(random() * 4)}`, random() < 0.6);
        else if (dice < 0.66) await library.add({ title: `Own ${step}`, author: 'Me', readerName: null, returnDateTime: null }).catch(() => undefined);
        else if (dice < 0.72) await favor(id, random() < 0.5);
        else if (dice < 0.76) await take(id);
        else if (dice < 0.84) {
          if (socket.connected) heard = server.sequence;
          socket.cut();
        } else if (dice < 0.9 && !socket.connected && library.connection().status !== 'catching-up') server.accept(socket, heard);
        else await vi.advanceTimersByTimeAsync(random() * 1_500);
        const seen = library.books().map((book) => book.id);
        expect(new Set(seen).size).toBe(seen.length);
      }
      await vi.advanceTimersByTimeAsync(10_000);
      expect(library.connection(), `seed ${seed}`).toEqual({ status: 'live' });
      const compared = (books: ReturnType<typeof truth>) => books.map(({ id, title, version, favoritesCount }) => ({ id, title, version, favoritesCount }));
      expect(compared(mine()), `seed ${seed}`).toEqual(compared(truth()));
      stop();
      await settle();
      expect(socket.listenerCount).toBe(0);
    }
    start();
  });
});

describe('own changes', () => {
  beforeEach(async () => {
    server.add({ title: 'Emma' });
    start();
    await settle();
  });

  it('show with the answer when the event is late, and once when it comes', async () => {
    socket.connected = false; // the socket is slow: the server has written, the event is not here
    const { book } = await library.add({ title: 'Mine', author: 'Me', readerName: null, returnDateTime: null });
    expect(shown()).toEqual(['Emma', 'Mine']);
    socket.receive('bookAdded', server.must(book?.id ?? 0), server.position());
    expect(shown()).toEqual(['Emma', 'Mine']);
    expect(news).toMatchObject([{ kind: 'added', title: 'Mine', own: true }]);
  });

  it('are known as own when the event overtakes the answer', async () => {
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    const adding = library.add({ title: 'Mine', author: 'Me', readerName: null, returnDateTime: null });
    await settle();
    expect(shown()).toEqual(['Emma', 'Mine']);
    expect(news).toEqual([]);
    open();
    await adding;
    expect(news).toMatchObject([{ title: 'Mine', own: true }]);
  });

  it('of every kind are told from those of others', async () => {
    const id = [...server.books.keys()][0] ?? 0;
    const book = library.book(id);
    if (!book) throw new Error('no book');
    await library.change(book, { readerName: 'Anna' });
    await library.setFavorite(book, true);
    server.favorite(id, 'somebody', true);
    server.change(id, { readerName: null });
    await library.remove(library.book(id) ?? book);
    expect(news.map(({ kind, own }) => [kind, own])).toEqual([
      ['lent', true],
      ['favorited', true],
      ['favorited', false],
      ['returned', false],
      ['removed', true],
    ]);
  });

  it('are refused when the book has moved on', async () => {
    const id = [...server.books.keys()][0] ?? 0;
    const seen = library.book(id);
    if (!seen) throw new Error('no book');
    server.change(id, { title: 'Emma, revised' });
    await expect(library.change(seen, { title: 'mine' })).rejects.toMatchObject({ kind: 'changed' });
    expect(shown()).toEqual(['Emma, revised']);
  });

  it('that are refused leave nothing behind', async () => {
    server.trouble = () => new ApiError('forbidden', 'Unauthorized access');
    await expect(library.add({ title: 'lost', author: 'Me', readerName: null, returnDateTime: null })).rejects.toMatchObject({ kind: 'forbidden' });
    server.add({ title: 'theirs' });
    expect(shown()).toEqual(['Emma', 'theirs']);
    expect(news).toMatchObject([{ title: 'theirs', own: false }]);
    expect(library.pending()).toEqual({ waiting: [], refused: [], durable: true });
  });
});

describe('life', () => {
  it('survives being mounted twice with one connection, and leaves no listener behind', async () => {
    start();
    const second = library.retain();
    release();
    second();
    release = library.retain();
    await settle();
    expect(socket.attempts).toBe(1);
    expect(library.connection()).toEqual({ status: 'live' });
    release();
    await settle();
    expect(socket.listenerCount).toBe(0);
    expect(socket.connected).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('joins the dashboard on every connection while it is watched, and leaves it after', async () => {
    start();
    const leave = library.dashboard.watch();
    await settle();
    expect(socket.sent).toEqual(['ownerJoinDashboard']);
    leave();
    const again = library.dashboard.watch();
    await settle();
    expect(socket.sent).toEqual(['ownerJoinDashboard']);
    socket.cut();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(socket.sent).toEqual(['ownerJoinDashboard', 'ownerJoinDashboard']);
    again();
    await settle();
    expect(socket.sent).toEqual(['ownerJoinDashboard', 'ownerJoinDashboard', 'ownerLeaveDashboard']);
  });

  it('keeps the desk’s numbers with their last minutes', async () => {
    start();
    const leave = library.dashboard.watch();
    await settle();
    const stats = { totalBooks: 1, totalFavorites: 0, connectedOwners: 1, mostFavorited: null };
    socket.receive('dashboardStats', stats);
    await vi.advanceTimersByTimeAsync(5_000);
    socket.receive('dashboardStats', { ...stats, totalBooks: 2 });
    socket.receive('userStatus', { total: 3, users: [] });
    const { history } = library.dashboard.state();
    expect(history.map((sample) => sample.books)).toEqual([1, 2, 2]);
    expect(history.at(-1)?.online).toBe(3);
    leave();
  });
});

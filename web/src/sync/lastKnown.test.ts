import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Activity } from './activity';
import { Library, RECALL_AFTER } from './library';
import { FakeServer, type FakeSocket } from './testing/fakeServer';
import { MemorySnapshots } from './testing/memorySnapshots';

const identity = { userId: 'demoUser1', role: 'owner', mayEdit: true } as const;

let server: FakeServer;
let snapshots: MemorySnapshots;
let releases: (() => void)[];

const settle = () => vi.advanceTimersByTimeAsync(60);
const titles = (library: Library) => library.books().map((book) => book.title).sort();

/** A page that is opened; it ends with the test at the latest. */
function visit(): { library: Library; socket: FakeSocket; leave: () => Promise<void>; news: Activity[] } {
  const socket = server.socket();
  const library = new Library({ identity, socket, api: server.api(identity.userId), random: () => 0.5, snapshots });
  const news: Activity[] = [];
  library.activity.observe((batch) => news.push(...batch));
  const release = library.retain();
  releases.push(release);
  const leave = async () => {
    release();
    server.sockets.delete(socket);
    await settle();
  };
  return { library, socket, leave, news };
}

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  server = new FakeServer();
  snapshots = new MemorySnapshots();
  releases = [];
});

afterEach(() => {
  for (const release of releases) release();
  vi.useRealTimers();
});

describe('the last known catalogue', () => {
  it('is shown, as old, when there is no connection; and what the server says replaces it', async () => {
    server.add({ title: 'Emma' });
    server.add({ title: 'Faust' });
    const first = visit();
    await settle();
    await first.leave();
    const leftAt = Date.now();

    server.reachable = false;
    await vi.advanceTimersByTimeAsync(3_600_000);
    const { library, news } = visit();
    await settle();
    expect(titles(library)).toEqual(['Emma', 'Faust']);
    expect(library.catalogueStatus()).toEqual({ status: 'ready' });
    expect(library.recalled()).toBe(true);
    expect(library.connection().status).toBe('offline');
    expect(leftAt - (library.currentAt() ?? 0)).toBeLessThan(1_000);

    server.remove([...server.books.keys()][0] ?? 0);
    server.add({ title: 'Candide' });
    server.reachable = true;
    library.retryNow();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(titles(library)).toEqual(['Candide', 'Faust']);
    expect(library.connection()).toEqual({ status: 'live' });
    expect(library.recalled()).toBe(false);
    // What happened while one was away is told as that.
    expect(news.map(({ kind, title, missed }) => [kind, title, missed])).toEqual([['added', 'Candide', true], ['removed', 'Emma', true]]);
  });

  it('is not shown while the server answers in time', async () => {
    server.add({ title: 'Emma' });
    const first = visit();
    await settle();
    await first.leave();
    let open = (): void => undefined;
    server.gate = new Promise((resolve) => (open = resolve));
    const { library } = visit();
    await vi.advanceTimersByTimeAsync(RECALL_AFTER - 100);
    expect(library.catalogueStatus()).toEqual({ status: 'loading' });
    await vi.advanceTimersByTimeAsync(200);
    expect(titles(library)).toEqual(['Emma']);
    expect(library.recalled()).toBe(true);
    open();
    await settle();
    expect(library.recalled()).toBe(false);
    expect(library.connection()).toEqual({ status: 'live' });
  });

  it('gives way to a server whose log was put back to an earlier state', async () => {
    for (const title of ['Emma', 'Faust', 'Candide']) server.add({ title });
    const first = visit();
    await settle();
    await first.leave();
    const epoch = server.epoch;
    server = new FakeServer();
    server.epoch = epoch;
    server.add({ title: 'Emma' });
    server.reachable = false;
    const { library } = visit();
    await settle();
    expect(titles(library)).toHaveLength(3);
    server.reachable = true;
    library.retryNow();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(titles(library)).toEqual(['Emma']);
    expect(library.connection()).toEqual({ status: 'live' });
  });

  it('holds what the server has answered and carries what waits', async () => {
    const emma = server.add({ title: 'Emma' });
    const first = visit();
    await settle();
    server.sockets.clear(); // events no longer come, answers do
    const seen = first.library.book(emma.id);
    if (seen === null) throw new Error('no book');
    await first.library.change(seen, { title: 'Emma, annotated' });
    first.socket.cut();
    server.reachable = false;
    const later = first.library.book(emma.id);
    if (later === null) throw new Error('no book');
    await first.library.change(later, { author: 'Jane Austen' });
    await first.leave();

    expect(snapshots.kept?.books).toMatchObject([{ title: 'Emma, annotated', author: 'Somebody' }]);
    const { library } = visit();
    await settle();
    expect(library.books()).toMatchObject([{ title: 'Emma, annotated', author: 'Jane Austen', waiting: true }]);
    server.reachable = true;
    library.retryNow();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(server.must(emma.id)).toMatchObject({ title: 'Emma, annotated', author: 'Jane Austen' });
    expect(library.pending().refused).toEqual([]);
  });

  it('is saved soon after the first catch-up, then now and then, and when the page is hidden', async () => {
    const save = vi.spyOn(snapshots, 'save');
    server.add({ title: 'Emma' });
    const { library } = visit();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(save).toHaveBeenCalledTimes(1);
    for (let n = 0; n < 40; n += 1) {
      server.add({ title: `Book ${n}` });
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(save).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(save).toHaveBeenCalledTimes(2);
    expect(snapshots.kept?.books).toHaveLength(41);
    server.add({ title: 'the last' });
    window.dispatchEvent(new Event('pagehide'));
    expect(snapshots.kept?.books).toHaveLength(library.books().length);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from './rest';
import { Library } from './library';
import { OUTBOX_LIMIT, PATIENCE, TRIES } from './outbox';
import { LocalOutboxStore } from './outboxStore';
import type { Entry } from './pending';
import { FakeServer, read, type FakeSocket } from './testing/fakeServer';
import { FakeBrowser, type FakeTab } from './testing/fakeTabs';

const ME = 'demoUser1';
const draft = (title: string) => ({ title, author: 'Me', readerName: null, returnDateTime: null });
const settle = () => vi.advanceTimersByTimeAsync(60);

interface Page {
  readonly library: Library;
  readonly socket: FakeSocket;
  readonly tab: FakeTab;
  readonly close: () => void;
}

let server: FakeServer;
let browser: FakeBrowser;
let pages: Page[];

function openPage(random: () => number = () => 0.5): Page {
  const tab = browser.open();
  const socket = server.socket();
  const library = new Library({ identity: { userId: ME, role: 'owner', mayEdit: true }, socket, api: tab.api(server.api(ME)), random, store: tab.store, locks: tab.locks });
  const release = library.retain();
  const page: Page = {
    library,
    socket,
    tab,
    close: () => {
      tab.die();
      release();
      server.sockets.delete(socket);
      socket.connected = false;
      pages = pages.filter((other) => other !== page);
    },
  };
  pages.push(page);
  return page;
}

function goOffline(): void {
  server.reachable = false;
  for (const { socket } of pages) socket.cut();
}

const titles = (page: Page) => page.library.books().map((book) => book.title).sort();
const truth = () => [...server.books.values()].map((book) => book.title).sort();
const bookOf = (page: Page, title: string) => {
  const book = page.library.books().find((one) => one.title === title);
  if (!book) throw new Error(`no ${title}`);
  return book;
};
const kept = () => [...browser.kept.values()].map((text) => JSON.parse(text) as Entry);

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(new Date('2026-11-22T12:00:00Z'));
  server = new FakeServer();
  browser = new FakeBrowser();
  pages = [];
});

afterEach(async () => {
  for (const page of [...pages]) page.close();
  await settle();
  vi.useRealTimers();
});

describe('offline', () => {
  it('shows edits at once, keeps them over a reload, and sends them in order under the keys they had', async () => {
    server.add({ title: 'Emma' });
    server.add({ title: 'Faust' });
    const before = openPage();
    await settle();
    goOffline();
    const { library } = before;
    expect(await library.add(draft('Mine'))).toMatchObject({ status: 'waiting', book: { title: 'Mine', waiting: true } });
    await library.change(bookOf(before, 'Mine'), { title: 'Mine, better' });
    await library.change(bookOf(before, 'Emma'), { readerName: 'Anna' });
    await library.setFavorite(bookOf(before, 'Mine, better'), true);
    await library.remove(bookOf(before, 'Faust'));
    expect(titles(before)).toEqual(['Emma', 'Mine, better']);
    expect(library.pending().waiting.map(({ write }) => write.kind)).toEqual(['add', 'change', 'change', 'favorite', 'remove']);
    const keys = kept().map((entry) => entry.key);
    before.close();

    const after = openPage();
    expect(after.library.pending().waiting.map((entry) => entry.key)).toEqual(keys);
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(server.calls).toEqual(keys);
    expect(titles(after)).toEqual(['Emma', 'Mine, better']);
    expect(truth()).toEqual(['Emma', 'Mine, better']);
    expect([...server.books.values()].find((book) => book.title !== 'Emma')?.favorites).toEqual([ME]);
    expect(after.library.pending()).toEqual({ waiting: [], refused: [], durable: true });
    expect(browser.kept.size).toBe(0);
  });

  it('gives an added book its id without a moment of two or none', async () => {
    for (const eventFirst of [true, false]) {
      const page = openPage();
      await settle();
      const seen: string[][] = [];
      const stop = page.library.subscribeBooks(() => seen.push(titles(page)));
      let open = (): void => undefined;
      server.gate = new Promise((resolve) => (open = resolve));
      if (!eventFirst) page.socket.connected = false;
      const adding = page.library.add(draft('Mine'));
      const temporary = bookOf(page, 'Mine').id;
      await settle();
      open();
      await adding;
      await settle();
      const [real] = [...server.books.keys()];
      if (!eventFirst) page.socket.receive('bookAdded', server.must(real ?? 0), server.position());
      expect(seen.every((shown) => shown.join() === 'Mine')).toBe(true);
      expect(bookOf(page, 'Mine').id).toBe(real);
      expect(page.library.keyOf(real ?? 0)).toBe(temporary);
      expect(page.library.book(temporary)?.id).toBe(real);
      stop();
      page.close();
      server.books.clear();
      server.gate = null;
    }
  });

  it('sends again what was done but not answered, and it counts once', async () => {
    const page = openPage();
    await settle();
    let lost = 0;
    server.losesAnswer = () => (lost += 1) <= 3;
    expect(await page.library.add(draft('Mine'))).toMatchObject({ status: 'waiting' });
    expect(titles(page)).toEqual(['Mine']);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(new Set(server.calls).size).toBe(1);
    expect(server.calls).toHaveLength(4);
    expect(titles(page)).toEqual(['Mine']);
    expect(truth()).toEqual(['Mine']);
    expect(page.library.pending().waiting).toEqual([]);
  });

  it('says when this device cannot keep what waits, and when too much waits', async () => {
    const page = openPage();
    await settle();
    goOffline();
    browser.full = true;
    await page.library.add(draft('Only here'));
    expect(page.library.pending().durable).toBe(false);
    browser.full = false;
    for (let count = 1; count < OUTBOX_LIMIT; count += 1) await page.library.add(draft(`Book ${count}`));
    await expect(page.library.add(draft('One too many'))).rejects.toMatchObject({ kind: 'full' });
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(truth()).toHaveLength(OUTBOX_LIMIT);
    expect(page.library.pending().durable).toBe(true);
  });
});

describe('a refusal', () => {
  it('rolls back, is told to who waits for it, and leaves nothing behind', async () => {
    server.add({ title: 'Emma' });
    const page = openPage();
    await settle();
    server.trouble = () => new ApiError('forbidden', 'Unauthorized access');
    const changing = page.library.change(bookOf(page, 'Emma'), { title: 'Mine' });
    expect(titles(page)).toEqual(['Mine']);
    await expect(changing).rejects.toMatchObject({ kind: 'forbidden' });
    expect(titles(page)).toEqual(['Emma']);
    expect(browser.kept.size).toBe(0);
  });

  it('that comes later is kept with its reason, and lets the rest pass', async () => {
    const emma = server.add({ title: 'Emma' });
    const page = openPage();
    await settle();
    goOffline();
    await page.library.change(bookOf(page, 'Emma'), { title: 'Mine' });
    await page.library.add(draft('Faust'));
    server.change(emma.id, { title: 'Theirs' });
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(8_000);
    expect(titles(page)).toEqual(['Faust', 'Theirs']);
    const [refused] = page.library.pending().refused;
    expect(refused).toMatchObject({ write: { kind: 'change', patch: { title: 'Mine' } }, book: { title: 'Emma' }, refusal: { kind: 'changed' } });
    page.library.retry(refused?.key ?? '', bookOf(page, 'Theirs'));
    await settle();
    expect(titles(page)).toEqual(['Faust', 'Mine']);
    expect(truth()).toEqual(['Faust', 'Mine']);
    expect(page.library.pending().refused).toEqual([]);
  });

  it('of a book holds back what was done to it since; both can be sent again, or given up', async () => {
    const page = openPage();
    await settle();
    goOffline();
    await page.library.add(draft('Mine'));
    await page.library.change(bookOf(page, 'Mine'), { readerName: 'Anna' });
    server.trouble = () => new ApiError('invalid', 'Invalid input');
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(titles(page)).toEqual([]);
    expect(page.library.pending().refused.map(({ refusal }) => refusal?.kind)).toEqual(['invalid', 'not-found']);
    server.trouble = null;
    page.library.retry(page.library.pending().refused[0]?.key ?? '');
    await settle();
    expect([...server.books.values()]).toMatchObject([{ title: 'Mine', readerName: 'Anna' }]);
    expect(page.library.pending().refused).toEqual([]);

    goOffline();
    await page.library.add(draft('Another'));
    await page.library.setFavorite(bookOf(page, 'Another'), true);
    page.library.discard(page.library.pending().waiting[0]?.key ?? '');
    expect(titles(page)).toEqual(['Mine']);
    expect(browser.kept.size).toBe(0);
  });

  it('comes after a number of tries too, and the same key is used when it is sent again', async () => {
    const page = openPage();
    await settle();
    server.trouble = () => new ApiError('unavailable', 'Draining', { retryAfter: 1 });
    const adding = page.library.add(draft('Mine'));
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(await adding).toMatchObject({ status: 'waiting' });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(server.calls).toHaveLength(TRIES);
    const [refused] = page.library.pending().refused;
    expect(refused).toMatchObject({ refusal: { kind: 'unavailable' } });
    server.trouble = null;
    page.library.retry(refused?.key ?? '');
    await settle();
    expect(new Set(server.calls).size).toBe(1);
    expect(truth()).toEqual(['Mine']);
  });

  it('spares what is already as it was wanted', async () => {
    const emma = server.add({ title: 'Emma' });
    const gone = server.add({ title: 'Gone' });
    const page = openPage();
    await settle();
    goOffline();
    await page.library.change(bookOf(page, 'Emma'), { title: 'Emma!' });
    await page.library.remove(bookOf(page, 'Gone'));
    server.change(emma.id, { title: 'Emma!' });
    server.remove(gone.id);
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(8_000);
    expect(page.library.pending().refused).toEqual([]);
    expect(titles(page)).toEqual(['Emma!']);
  });
});

describe('edits upon edits', () => {
  it('carry the version that the first one got', async () => {
    server.add({ title: 'Emma' });
    const page = openPage();
    await settle();
    goOffline();
    await page.library.change(bookOf(page, 'Emma'), { title: 'One' });
    await page.library.change(bookOf(page, 'One'), { title: 'Two' });
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(truth()).toEqual(['Two']);
    expect(page.library.pending().refused).toEqual([]);
  });

  it('of somebody who had not seen the first are refused', async () => {
    server.add({ title: 'Emma' });
    const page = openPage();
    await settle();
    goOffline();
    const seen = bookOf(page, 'Emma');
    await page.library.change(seen, { title: 'One' });
    await page.library.change(seen, { title: 'Two' });
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(truth()).toEqual(['One']);
    expect(page.library.pending().refused).toMatchObject([{ refusal: { kind: 'changed' } }]);
  });
});

describe('two tabs', () => {
  it('show each other’s waiting changes and send each once, in order', async () => {
    const one = openPage();
    const two = openPage();
    await settle();
    goOffline();
    await one.library.add(draft('From one'));
    await settle();
    expect(titles(two)).toEqual(['From one']);
    await two.library.change(bookOf(two, 'From one'), { title: 'From both' });
    await two.library.add(draft('From two'));
    server.reachable = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(server.calls).toHaveLength(3);
    expect(truth()).toEqual(['From both', 'From two']);
    for (const page of pages) {
      expect(titles(page)).toEqual(['From both', 'From two']);
      expect(page.library.pending()).toEqual({ waiting: [], refused: [], durable: true });
    }
  });

  it('take over from one that died', async () => {
    const one = openPage();
    openPage();
    await settle();
    server.latency = () => new Promise(() => undefined);
    void one.library.add(draft('Mine'));
    await settle();
    server.latency = null;
    one.close();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(truth()).toEqual(['Mine']);
    expect(new Set(server.calls).size).toBe(1);
    expect(browser.kept.size).toBe(0);
  });
});

describe('holes', () => {
  it('are found where a recovery does not fit, and mended by one fetch', async () => {
    const wrong: ((page: Page, from: number) => void)[] = [
      ({ socket }) => {
        // One event of two is missing.
        socket.connected = true;
        socket.recovered = true;
        socket.receive('connect');
        const last = server.log.at(-1);
        socket.receive(last?.event ?? '', last?.data, server.position());
        socket.receive('synced', { position: server.position(), recovered: true, missed: 2 }, server.position());
      },
      ({ socket }) => {
        // The socket believes what the server does not.
        socket.connected = true;
        socket.recovered = true;
        socket.receive('connect');
        socket.receive('synced', { position: server.position(), recovered: false, missed: 0 }, server.position());
      },
      ({ socket }) => {
        // Another log under the same session.
        server.epoch = 'e2';
        socket.connected = true;
        socket.recovered = true;
        socket.receive('connect');
        socket.receive('synced', { position: server.position(), recovered: true, missed: 0 }, server.position());
      },
    ];
    for (const reconnect of wrong) {
      server = new FakeServer();
      server.add({ title: 'Emma' });
      const page = openPage();
      await settle();
      page.socket.cut();
      server.add({ title: 'Faust' });
      server.add({ title: 'Ulysses' });
      reconnect(page, 1);
      server.sockets.add(page.socket);
      await vi.advanceTimersByTimeAsync(3_000);
      expect(titles(page)).toEqual(['Emma', 'Faust', 'Ulysses']);
      expect(server.snapshots).toBe(2);
      expect(page.library.connection()).toEqual({ status: 'live' });
      page.close();
    }
  });

  it('are not seen where what was missed came to nothing', async () => {
    const page = openPage();
    await settle();
    page.socket.cut();
    server.remove(server.add({ title: 'Brief' }).id);
    page.socket.connected = true;
    page.socket.recovered = true;
    page.socket.receive('connect');
    page.socket.receive('synced', { position: server.position(), recovered: true, missed: 0 }, server.position());
    await vi.advanceTimersByTimeAsync(3_000);
    expect(server.snapshots).toBe(1);
  });
});

describe('the store', () => {
  beforeEach(() => localStorage.clear());

  it('keeps one person’s entries apart from another’s, in order, over what it cannot read', () => {
    const store = new LocalOutboxStore('a');
    const entry = (key: string, order: number) => ({ key, order, write: { kind: 'remove', bookId: 1 } }) as Entry;
    store.save(entry('y', 2));
    store.save(entry('x', 1));
    new LocalOutboxStore('a:b').save(entry('z', 3));
    localStorage.setItem('shelfcast.outbox:a:broken', '{');
    expect(store.load().map(({ key }) => key)).toEqual(['x', 'y']);
    store.remove('x');
    expect(store.load().map(({ key }) => key)).toEqual(['y']);
    expect(new LocalOutboxStore('a:b').load()).toHaveLength(1);
  });

  it('does without a storage', () => {
    const store = new LocalOutboxStore('a', () => {
      throw new Error('denied');
    });
    expect(store.save({ key: 'x' } as Entry)).toBe(false);
    expect(store.load()).toEqual([]);
  });
});

describe('random edits, refusals, cuts, lost answers and reloads', () => {
  it('end at the server’s state, each edit done once or shown as refused, and nothing is shown twice meanwhile', async () => {
    let done = 0;
    let refused = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      let state = seed * 7919;
      const random = () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
      server = new FakeServer();
      browser = new FakeBrowser(() => random() * 20);
      server.latency = () => new Promise((resolve) => setTimeout(resolve, random() * 400));
      server.losesAnswer = () => random() < 0.2;
      server.tellsPositions = seed % 3 > 0;
      const acts = new Map<string, 'made' | 'refused'>();
      const act = (title: string, outcome: Promise<unknown>) => {
        acts.set(title, 'made');
        outcome.catch(() => acts.set(title, 'refused'));
      };
      for (let number = 1; number <= 4; number += 1) server.add({ title: `First ${number}` });
      openPage(random);
      openPage(random);
      await settle();
      for (let step = 0; step < 60; step += 1) {
        const dice = random();
        const page = pick(pages) ?? openPage(random);
        const { library } = page;
        const book = pick(library.books());
        if (dice < 0.14) act(`Own ${step}`, library.add(draft(`Own ${step}`)));
        else if (dice < 0.32 && book) {
          act(`Edit ${step}`, library.change(book, { title: `Edit ${step}` }));
          expect(library.book(book.id)?.title).toBe(`Edit ${step}`);
        } else if (dice < 0.38 && book) library.setFavorite(book, random() < 0.5).catch(() => undefined);
        else if (dice < 0.42 && book) library.remove(book).catch(() => undefined);
        else if (dice < 0.5) server.add({ title: `Theirs ${step}` });
        else if (dice < 0.56) server.change(pick([...server.books.keys()]) ?? server.add({ title: `New ${step}` }).id, { title: `Changed ${step}` });
        else if (dice < 0.6) {
          const key = pick(kept())?.key;
          server.trouble = (sent) => (sent === key ? new ApiError('invalid', 'Invalid input') : null);
        } else if (dice < 0.65) page.socket.cut();
        else if (dice < 0.69) goOffline();
        else if (dice < 0.76) server.reachable = true;
        else if (dice < 0.8) {
          page.close();
          openPage(random);
        } else await vi.advanceTimersByTimeAsync(random() * 1_500);
        for (const { library: shown } of pages) {
          const all = shown.books();
          expect(new Set(all.map((one) => one.title)).size, `seed ${seed} step ${step}: ${all.map((one) => one.title).join()}`).toBe(all.length);
          // What waits lies over everything else.
          const newest = new Map<number, Entry>();
          for (const entry of shown.pending().waiting) if (entry.write.kind !== 'favorite') newest.set(entry.write.bookId, entry);
          for (const [id, { write }] of newest) {
            if (write.kind === 'remove') expect(shown.book(id), `seed ${seed} step ${step}`).toBeNull();
            else if (write.kind === 'add') expect(shown.book(id)?.title).toBe(write.draft.title);
            else if (write.kind === 'change' && shown.book(id) !== null) expect(shown.book(id)?.title).toBe(write.patch.title);
          }
        }
      }
      server.reachable = true;
      server.losesAnswer = () => false;
      await vi.advanceTimersByTimeAsync(200_000);
      const shownAsRefused = new Set<string | undefined>();
      for (const page of pages) {
        expect(page.library.connection(), `seed ${seed}`).toEqual({ status: 'live' });
        expect(page.library.pending().waiting, `seed ${seed}`).toEqual([]);
        expect(titles(page), `seed ${seed}`).toEqual(truth());
        const favorites = new Map([...server.books.values()].map((book) => [book.id, read(book, ME)]));
        for (const book of page.library.books()) expect(book.favoritesCount, `seed ${seed}`).toBe(favorites.get(book.id)?.favoritesCount);
        for (const { write } of page.library.pending().refused) {
          if (write.kind === 'add') shownAsRefused.add(write.draft.title);
          if (write.kind === 'change') shownAsRefused.add(write.patch.title);
        }
      }
      for (const [title, became] of acts) {
        const times = server.log.filter((entry) => entry.event !== 'bookDeleted' && entry.event !== 'favoriteUpdated' && (entry.data as { title: string }).title === title).length;
        const wanted = became === 'refused' || shownAsRefused.has(title) ? 0 : 1;
        // A later edit of the same book may have been told in its place only by a snapshot: the log has every one.
        expect(times, `seed ${seed}: ${title}, ${became}`).toBe(wanted);
        if (wanted === 1) done += 1;
        else refused += 1;
      }
      for (const page of [...pages]) page.close();
      await settle();
    }
    expect(done).toBeGreaterThan(500);
    expect(refused).toBeGreaterThan(20);
  });
});

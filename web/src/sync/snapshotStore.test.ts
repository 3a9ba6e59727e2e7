import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Book } from './book';
import { IndexedSnapshotStore, KEPT_BOOKS, KEPT_PEOPLE } from './snapshotStore';

function book(id: number): Book {
  const at = '2026-01-01T00:00:00.000Z';
  return { id, title: `Book ${id}`, author: 'A', returnDateTime: null, readerName: null, createdAt: at, updatedAt: at, version: id, favoritesCount: 0, favorite: false };
}

const position = { epoch: 'e', sequence: 7 };
let factory: IDBFactory;
const storeOf = (userId: string) => new IndexedSnapshotStore(userId, () => factory);

beforeEach(() => {
  factory = new IDBFactory();
});

describe('snapshots in IndexedDB', () => {
  it('are each person’s own', async () => {
    expect(await storeOf('anna').load()).toBeNull();
    expect(await storeOf('anna').save({ books: [book(1)], position, at: 5 })).toBe(true);
    expect(await storeOf('anna').load()).toEqual({ books: [book(1)], position, at: 5 });
    expect(await storeOf('ben').load()).toBeNull();
  });

  it('are not put back by a tab that knows less', async () => {
    await storeOf('anna').save({ books: [book(1), book(2)], position, at: 9 });
    await storeOf('anna').save({ books: [book(1)], position, at: 5 });
    expect((await storeOf('anna').load())?.books).toHaveLength(2);
  });

  it('are kept of a few people only', async () => {
    for (let n = 0; n <= KEPT_PEOPLE; n += 1) await storeOf(`user ${n}`).save({ books: [book(n)], position, at: 100 + n });
    expect(await storeOf('user 0').load()).toBeNull();
    expect(await storeOf('user 1').load()).not.toBeNull();
  });

  it('are whole or not at all', async () => {
    const store = storeOf('anna');
    await store.save({ books: [book(1)], position, at: 1 });
    const many = Array.from({ length: KEPT_BOOKS + 1 }, (_, n) => book(n));
    expect(await store.save({ books: many, position, at: 2 })).toBe(false);
    expect(await store.load()).toBeNull();
  });

  it('are none in a browser that keeps nothing', async () => {
    const store = new IndexedSnapshotStore('anna', () => {
      throw new Error('forbidden');
    });
    expect(await store.save({ books: [], position, at: 1 })).toBe(false);
    expect(await store.load()).toBeNull();
  });
});

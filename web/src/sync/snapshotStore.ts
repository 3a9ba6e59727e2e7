import type { Snapshot } from './catalogue';

/** The catalogue as it was when this device was last in step. */
export interface KeptSnapshot extends Snapshot {
  /** Epoch milliseconds at which it was known to be current. */
  readonly at: number;
}

/** Where the last known catalogue outlives the page. One person's, shared by all tabs of the browser. */
export interface SnapshotStore {
  /** Null when nothing is kept, or nothing that this version of the app can read. Never rejects. */
  load(): Promise<KeptSnapshot | null>;
  /** Keeps the snapshot unless a later one is kept already. False when it could not. Never rejects. */
  save(snapshot: KeptSnapshot): Promise<boolean>;
}

/** A larger catalogue is not kept: half of one would be taken for the whole. */
export const KEPT_BOOKS = 20_000;
/** Of so many people who share a browser the catalogue is kept; whoever was away longest gives way. */
export const KEPT_PEOPLE = 3;

const DATABASE = 'shelfcast';
const TABLE = 'snapshots';
/** Counted up when Book changes in a way that an older record does not fit. */
const FORMAT = 1;

interface Row extends KeptSnapshot {
  readonly userId: string;
  readonly format: number;
}

/**
 * Snapshots in IndexedDB, one row per person. Unlike the outbox it may lose its last second, so it
 * need not write before it returns; and it is too large for localStorage.
 */
export class IndexedSnapshotStore implements SnapshotStore {
  readonly #userId: string;
  readonly #factory: () => IDBFactory;

  constructor(userId: string, factory: () => IDBFactory = () => indexedDB) {
    this.#userId = userId;
    this.#factory = factory;
  }

  async load(): Promise<KeptSnapshot | null> {
    const row = await this.#use<unknown>('readonly', (table, done) => {
      const request = table.get(this.#userId);
      request.onsuccess = () => done(request.result);
    }).catch(() => null);
    return isRow(row) ? { books: row.books, position: row.position, at: row.at } : null;
  }

  async save({ books, position, at }: KeptSnapshot): Promise<boolean> {
    const row: Row = { userId: this.#userId, format: FORMAT, at, position, books };
    const kept = await this.#use<boolean>('readwrite', (table, done) => {
      if (books.length > KEPT_BOOKS) {
        table.delete(this.#userId);
        done(false);
        return;
      }
      const request = table.get(this.#userId);
      request.onsuccess = () => {
        const known: unknown = request.result;
        if (!isRow(known) || known.at <= at) table.put(row);
        done(true);
        forgetTheLongestAway(table);
      };
    }).catch(() => false);
    return kept === true;
  }

  /** Lets go of what was kept: the person signed out of a browser that others use too. Never rejects. */
  async forget(): Promise<void> {
    await this.#use<null>('readwrite', (table) => table.delete(this.#userId)).catch(() => null);
  }

  /** Runs `work` in one transaction and resolves, with what it was done with, when that is through. */
  async #use<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore, done: (value: T) => void) => void): Promise<T | null> {
    const database = await this.#open();
    try {
      return await new Promise<T | null>((resolve, reject) => {
        const transaction = database.transaction(TABLE, mode);
        let result: T | null = null;
        transaction.oncomplete = () => resolve(result);
        transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
        work(transaction.objectStore(TABLE), (value) => (result = value));
      });
    } finally {
      database.close();
    }
  }

  #open(): Promise<IDBDatabase> {
    return new Promise((resolve, reject) => {
      const request = this.#factory().open(DATABASE, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(TABLE, { keyPath: 'userId' }).createIndex('at', 'at');
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error ?? new Error('no database'));
    });
  }
}

function forgetTheLongestAway(table: IDBObjectStore): void {
  let people = 0;
  const latestFirst = table.index('at').openKeyCursor(null, 'prev');
  latestFirst.onsuccess = () => {
    const cursor = latestFirst.result;
    if (cursor === null) return;
    people += 1;
    if (people > KEPT_PEOPLE) table.delete(cursor.primaryKey);
    cursor.continue();
  };
}

function isRow(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null) return false;
  const row = value as Partial<Row>;
  return row.format === FORMAT && typeof row.at === 'number' && Array.isArray(row.books);
}

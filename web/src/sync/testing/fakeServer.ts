import type { Answered, Api } from '../api';
import { ApiError } from '../rest';
import type { TimingSample } from '../timings';
import type { Book, BookPatch, Draft } from '../book';
import type { Snapshot } from '../catalogue';
import type { Listener, LiveSocket } from '../connection';
import type { Position } from '../position';

interface WireBook extends Omit<Book, 'favoritesCount' | 'favorite'> {
  favorites: string[];
}

interface LogEntry {
  readonly event: string;
  readonly data: unknown;
  readonly sequence: number;
}

/** One client's socket, played by a script: it connects, fails and is cut when the test says so. */
export class FakeSocket implements LiveSocket {
  connected = false;
  recovered = false;
  readonly sent: string[] = [];
  /** How often the app tried to connect. */
  attempts = 0;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #onConnect: (socket: FakeSocket) => void;

  constructor(onConnect: (socket: FakeSocket) => void) {
    this.#onConnect = onConnect;
  }

  get listenerCount(): number {
    let count = 0;
    for (const listeners of this.#listeners.values()) count += listeners.size;
    return count;
  }

  connect(): this {
    this.attempts += 1;
    this.#onConnect(this);
    return this;
  }

  disconnect(): this {
    this.connected = false;
    return this;
  }

  on(event: string, listener: Listener): this {
    const listeners = this.#listeners.get(event) ?? new Set();
    if (listeners.has(listener)) throw new Error(`the same listener twice for ${event}`);
    listeners.add(listener);
    this.#listeners.set(event, listeners);
    return this;
  }

  off(event: string, listener: Listener): this {
    if (!this.#listeners.get(event)?.delete(listener)) throw new Error(`no such listener for ${event}`);
    return this;
  }

  emit(event: string): this {
    this.sent.push(event);
    return this;
  }

  /** What comes from the server. */
  receive(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(...args);
  }

  /** The connection breaks. */
  cut(): void {
    if (!this.connected) return;
    this.connected = false;
    this.receive('disconnect', 'transport close');
  }

  fail(): void {
    this.receive('connect_error', new Error('xhr poll error'));
  }
}

/** The server of the contract, in a few lines and in this process: a log, a snapshot, and the REST calls. */
export class FakeServer {
  epoch = 'e1';
  sequence = 0;
  readonly books = new Map<number, WireBook>();
  readonly log: LogEntry[] = [];
  reachable = true;
  /** Called instead of sending an event at once, when a test decides on the order itself. */
  readonly sockets = new Set<FakeSocket>();
  snapshots = 0;
  /** While set, answers wait until it resolves. */
  gate: Promise<void> | null = null;
  /** What clients said of the time until their screens showed their actions. */
  readonly timings: TimingSample[] = [];
  /** The keys of all writes that arrived, in order, repetitions included. */
  readonly calls: string[] = [];
  /** Refuses a write before it does anything. */
  trouble: ((key: string) => ApiError | null) | null = null;
  /** Whether the answer to a write, which was done, gets lost. */
  losesAnswer: () => boolean = () => false;
  /** How long answers to writes take, after the write. */
  latency: (() => Promise<void>) | null = null;
  tellsPositions = true;
  remembersKeys = true;
  readonly #answers = new Map<string, Answered<unknown>>();
  #nextId = 1_700_000_000_000;

  position(sequence = this.sequence): string {
    return `${this.epoch}-${sequence}`;
  }

  /** A socket that connects at once, afresh, as long as the server is reachable. */
  socket(): FakeSocket {
    return new FakeSocket((socket) => {
      queueMicrotask(() => {
        if (!this.reachable) {
          socket.fail();
          return;
        }
        this.accept(socket);
      });
    });
  }

  /** Connects a socket. With `from`, it is recovered: it gets what it missed first. */
  accept(socket: FakeSocket, from: number | null = null): void {
    socket.connected = true;
    socket.recovered = from !== null;
    this.sockets.add(socket);
    socket.receive('connect');
    let missed = 0;
    if (from !== null) {
      for (const entry of this.log) {
        if (entry.sequence <= from) continue;
        missed += 1;
        socket.receive(entry.event, entry.data, this.position(entry.sequence));
      }
    }
    socket.receive('synced', { position: this.position(), recovered: from !== null, missed }, this.position());
    if (from === null && socket.attempts > 1) socket.receive('reconnect', 1);
  }

  add(draft: Partial<Draft> & { title: string }): WireBook {
    const at = new Date(Date.now()).toISOString();
    const book: WireBook = {
      id: this.#nextId++,
      author: 'Somebody',
      readerName: null,
      returnDateTime: null,
      createdAt: at,
      updatedAt: at,
      favorites: [],
      version: this.sequence + 1,
      ...draft,
    };
    this.books.set(book.id, book);
    this.#tell('bookAdded', book);
    return book;
  }

  change(id: number, patch: BookPatch): WireBook {
    const book = { ...this.must(id), ...patch, version: this.sequence + 1 };
    this.books.set(id, book);
    this.#tell('bookUpdated', book);
    return book;
  }

  remove(id: number): void {
    const book = this.must(id);
    this.books.delete(id);
    this.#tell('bookDeleted', book);
  }

  favorite(id: number, userId: string, on: boolean): number {
    const book = this.must(id);
    const others = book.favorites.filter((other) => other !== userId);
    const favorites = on ? [...others, userId] : others;
    if (favorites.length !== book.favorites.length) {
      this.books.set(id, { ...book, favorites });
      this.#tell('favoriteUpdated', { bookId: id, favoritesCount: favorites.length });
    }
    return favorites.length;
  }

  must(id: number): WireBook {
    const book = this.books.get(id);
    if (!book) throw new ApiError('not-found', 'Book not found');
    return book;
  }

  snapshot(userId: string): Snapshot {
    return { books: [...this.books.values()].map((book) => read(book, userId)), position: { epoch: this.epoch, sequence: this.sequence } };
  }

  api(userId: string): Api {
    const reach = () => {
      if (!this.reachable) throw new ApiError('unreachable', 'The library cannot be reached just now.');
    };
    const answer = async <T>(work: () => T): Promise<T> => {
      reach();
      const result = work();
      if (this.gate) await this.gate;
      return result;
    };
    /** A write counts once per key, and its answer may get lost. */
    const write = async <T>(key: string, work: () => T): Promise<Answered<T>> => {
      reach();
      this.calls.push(key);
      let known = this.#answers.get(`${userId} ${key}`) as Answered<T> | undefined;
      if (known === undefined) {
        const trouble = this.trouble?.(key) ?? null;
        if (trouble !== null) throw trouble;
        const value = work();
        known = { value, position: this.tellsPositions ? { epoch: this.epoch, sequence: this.sequence } : null };
        if (this.remembersKeys) this.#answers.set(`${userId} ${key}`, known);
      }
      if (this.gate) await this.gate;
      if (this.latency !== null) await this.latency();
      if (this.losesAnswer()) throw new ApiError('unreachable', 'The library cannot be reached just now.');
      return known;
    };
    const seenAs = (id: number, seen: Position | null): void => {
      const current = this.must(id);
      if (seen === null || (seen.epoch === this.epoch && seen.sequence === current.version)) return;
      throw new ApiError('changed', 'The book has changed.', { current: read(current, userId) });
    };
    return {
      snapshot: () => {
        this.snapshots += 1;
        return answer(() => this.snapshot(userId));
      },
      book: (id) => answer(() => read(this.must(id), userId)),
      add: (draft, key) => write(key, () => read(this.add(draft), userId)),
      change: (id, patch, seen, key) =>
        write(key, () => {
          seenAs(id, seen);
          return read(this.change(id, patch), userId);
        }),
      remove: (id, seen, key) =>
        write(key, () => {
          seenAs(id, seen);
          this.remove(id);
          return null;
        }),
      setFavorite: (id, on, key) => write(key, () => this.favorite(id, userId, on)),
      loadSamples: () =>
        answer(() => {
          for (let number = 1; number <= 50; number += 1) this.add({ title: `Sample ${number}` });
        }),
      reportTimings: (samples) => answer(() => void this.timings.push(...samples)),
    };
  }

  #tell(event: string, data: unknown): void {
    this.sequence += 1;
    this.log.push({ event, data, sequence: this.sequence });
    const position = this.position();
    for (const socket of this.sockets) if (socket.connected) socket.receive(event, data, position);
  }
}

export function read({ favorites, ...book }: WireBook, userId: string): Book {
  return { ...book, favoritesCount: favorites.length, favorite: favorites.includes(userId) };
}

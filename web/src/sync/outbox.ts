import { ApiError, isTransient } from './rest';
import type { Book } from './book';
import type { Locks } from './locks';
import { inOrder, type OutboxStore } from './outboxStore';
import { isTemporary, type Entry, type Refusal, type Write, type WriteAnswer } from './pending';
import type { Position } from './position';

/** What became of a change by the time that its caller is told. */
export type Outcome =
  | { readonly status: 'done'; readonly answer: WriteAnswer }
  /** It is kept, and goes out when it can; a refusal will be among `entries`. */
  | { readonly status: 'waiting' };

export interface OutboxOptions {
  readonly store: OutboxStore;
  readonly locks: Locks;
  readonly lockName: string;
  readonly random: () => number;
  /** Whether there is a connection to send on. */
  readonly connected: () => boolean;
  /** Sends one entry; rejects with ApiError. */
  readonly send: (entry: Entry) => Promise<WriteAnswer>;
  /** The server took this one. Called while it is still among `entries`, which it leaves at once afterwards. */
  readonly settled: (entry: Entry, answer: WriteAnswer) => void;
  /** `entries` or `slow` are not what they were. */
  readonly changed: () => void;
}

/** More changes than these may not wait. */
export const OUTBOX_LIMIT = 200;
/** Tries of one change on a working connection before it is put before the person. */
export const TRIES = 8;
const RETRY_FIRST = 1_000;
const RETRY_LONGEST = 15_000;
/** How long a caller waits for the server's word before the change counts as waiting. */
export const PATIENCE = 2_000;
/** A change that is out within this time is never shown as waiting. */
export const QUICK = 800;
/** After so long another tab's change is tried from here, too: that tab may be gone. */
const FOREIGN_DELAY = 3_000;
/** The server remembers keys for a day; an hour less, for clocks. */
const KEY_LIFE = 23 * 3_600_000;
const REMEMBERED = 500;

interface Waiter {
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: ApiError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * The changes that the server has not taken yet: first in, first out, one under way at a time over
 * all tabs, each under the key that it got when the person made it. What may pass by itself is
 * tried again, a few times; what will not is kept as refused until the person decides.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #tab = randomKey();
  readonly #entries = new Map<string, Entry>();
  readonly #waiters = new Map<string, Waiter>();
  /** Entries that could not be stored. */
  readonly #unstored = new Set<string>();
  /** The positions that finished edits got, for edits that were made upon them. */
  readonly #versions = new Map<string, Position>();
  /** Ids of this device's, and what the server called those books. */
  readonly #ids = new Map<number, number>();
  /** Keys that are done with: news about them that are late are not believed. */
  readonly #gone = new Set<string>();
  #sorted: readonly Entry[] | null = null;
  #lastOrder = 0;
  #running: AbortController | null = null;
  #unsubscribe: (() => void) | null = null;
  #draining = false;
  #again = false;
  #notBefore = 0;
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  #slowTimer: ReturnType<typeof setTimeout> | null = null;
  #slow = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    for (const entry of options.store.load()) this.#take(entry);
    this.#slow = this.#hasWaiting();
  }

  /** Waiting and refused, in the order in which they were made; the same array until something changes. */
  get entries(): readonly Entry[] {
    this.#sorted ??= [...this.#entries.values()].sort(inOrder);
    return this.#sorted;
  }

  /** Whether what waits has waited long enough to be worth a word. */
  get slow(): boolean {
    return this.#slow;
  }

  /** Whether everything here outlives the page. */
  get durable(): boolean {
    return this.#unstored.size === 0;
  }

  /** The server's id for one of this device's; the id itself for any other. */
  idOf(bookId: number): number {
    return this.#ids.get(bookId) ?? bookId;
  }

  /** Whether an entry was made in this tab. */
  madeHere(madeBy: string): boolean {
    return madeBy === this.#tab;
  }

  start(): void {
    if (this.#running !== null) return;
    this.#running = new AbortController();
    this.#unsubscribe = this.#options.store.subscribe((key, entry) => this.#heard(key, entry));
    for (const entry of this.#options.store.load()) this.#take(entry);
    this.#options.changed();
    this.wake();
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#retryTimer = clear(this.#retryTimer);
    this.#slowTimer = clear(this.#slowTimer);
    for (const [key, waiter] of this.#waiters) this.#release(key, waiter);
  }

  /** A moment at which sending may work: a connection, a new change, the person's wish. */
  wake(): void {
    this.#notBefore = 0;
    void this.#drain();
  }

  /** Takes a change. It is stored and among `entries` when this returns, before it is sent. */
  add(write: Write, at: Position | null, book: Book | null): Promise<Outcome> {
    const waiting = this.entries.length;
    if (waiting >= OUTBOX_LIMIT) {
      return Promise.reject(new ApiError('full', `${waiting} changes are waiting already. Let them go out first.`));
    }
    const madeAt = Date.now();
    // Room for a thousand changes in a millisecond, and for clocks that are set back.
    const order = Math.max(madeAt * 1_000 + Math.floor(this.#options.random() * 1_000), this.#lastOrder + 1);
    const entry: Entry = {
      key: randomKey(),
      order,
      madeAt,
      madeBy: this.#tab,
      at,
      book,
      write: this.#resolved(write),
      status: 'waiting',
      sentAt: null,
      tries: 0,
      refusal: null,
      answer: null,
    };
    this.#update(entry);
    this.#noteSlowness();
    this.#options.changed();
    if (!this.#options.connected()) return Promise.resolve({ status: 'waiting' });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const waiter = this.#waiters.get(entry.key);
        if (waiter) this.#release(entry.key, waiter);
      }, PATIENCE);
      this.#waiters.set(entry.key, { resolve, reject, timer });
      void this.#drain();
    });
  }

  /** Sends a refused change once more. With `seen`, as an edit of that version; what hangs on it goes along. */
  retry(key: string, seen?: Position): void {
    const entry = this.#entries.get(key);
    if (entry?.status !== 'refused') return;
    const { write } = entry;
    const again = seen !== undefined && (write.kind === 'change' || write.kind === 'remove') ? { ...write, seen: { version: seen, after: null } } : write;
    // What the server refused for good it has not done, and its key is spent. Of the rest it may have
    // done this very request: that one keeps its key.
    const spent = again !== write || (entry.refusal !== null && !isTransient(entry.refusal.kind));
    const next = spent ? randomKey() : key;
    this.#update({ ...entry, key: next, write: again, status: 'waiting', tries: 0, refusal: null, sentAt: spent ? null : entry.sentAt });
    if (spent) {
      this.#drop(key);
      for (const follower of this.entries) {
        const upon = follower.write;
        if ((upon.kind === 'change' || upon.kind === 'remove') && upon.seen.after === key) {
          this.#update({ ...follower, write: { ...upon, seen: { ...upon.seen, after: next } } });
        }
      }
    }
    if (write.kind === 'add') {
      for (const hanging of this.entries) {
        if (hanging.status === 'refused' && hanging.write.bookId === write.bookId) this.#update({ ...hanging, status: 'waiting', tries: 0, refusal: null });
      }
    }
    this.#noteSlowness();
    this.#options.changed();
    this.wake();
  }

  /** Gives a change up; with a book that was to be added, also what was done to it since. One that is under way may still be taken. */
  discard(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#drop(key);
    if (entry.write.kind === 'add') {
      for (const hanging of this.entries) if (hanging.write.bookId === entry.write.bookId) this.#drop(hanging.key);
    }
    this.#noteSlowness();
    this.#options.changed();
  }

  // --- sending ------------------------------------------------------------------------------------

  async #drain(): Promise<void> {
    const running = this.#running;
    if (running === null || !this.#options.connected() || !this.#hasWaiting()) return;
    if (this.#draining) {
      this.#again = true;
      return;
    }
    this.#draining = true;
    try {
      await this.#options.locks.hold(this.#options.lockName, running.signal, async () => {
        do {
          let next = this.#next();
          while (next !== null && this.#running === running && this.#options.connected() && Date.now() >= this.#notBefore) {
            await this.#sendOne(next);
            next = this.#next();
          }
        } while (this.#askedAgain() && this.#running === running);
      });
    } finally {
      this.#draining = false;
    }
    if (this.#askedAgain()) {
      await this.#drain();
      return;
    }
    if (this.#running === running && this.#options.connected() && this.#hasWaiting()) this.#tryLater(Math.max(this.#notBefore - Date.now(), 50));
  }

  /** Whether somebody wanted to send while this tab was at it already. */
  #askedAgain(): boolean {
    const asked = this.#again;
    this.#again = false;
    return asked;
  }

  /** The first that waits. What the store has no more was done by another tab, whose word is on its way. */
  #next(): Entry | null {
    const stored = new Map(this.#options.store.load().map((entry) => [entry.key, entry]));
    for (const entry of stored.values()) if (!this.#entries.has(entry.key)) this.#take(entry);
    for (const entry of this.entries) {
      const kept = stored.get(entry.key) ?? (this.#unstored.has(entry.key) ? entry : null);
      if (kept?.status === 'waiting' && entry.status === 'waiting') return kept;
    }
    return null;
  }

  async #sendOne(waiting: Entry): Promise<void> {
    const now = Date.now();
    const entry: Entry = { ...waiting, write: this.#resolved(waiting.write), sentAt: waiting.sentAt ?? now };
    if (entry.write.kind !== 'add' && isTemporary(entry.write.bookId)) {
      this.#refuse(entry, { kind: 'not-found', message: 'The book that this belongs to is not in the library.' });
      return;
    }
    if (entry.write.kind === 'add' && now - (entry.sentAt ?? now) > KEY_LIFE) {
      this.#refuse({ ...entry, sentAt: null }, { kind: 'conflict', message: 'It was sent, but the answer never came: it may be in the library already. Look before you send it again.' });
      return;
    }
    this.#update(entry);
    let answer: WriteAnswer;
    try {
      answer = await this.#options.send(entry);
    } catch (cause) {
      this.#failed(entry, cause instanceof ApiError ? cause : new ApiError('unexpected', 'Something went wrong.', { cause }));
      return;
    }
    this.#succeeded(entry, answer);
  }

  #succeeded(entry: Entry, answer: WriteAnswer): void {
    const done: Entry = { ...entry, status: 'done', answer };
    this.#remember(done);
    // What was made upon this one goes on from here, and is kept so before this one is let go.
    for (const follower of this.entries) {
      const write = this.#resolved(follower.write);
      if (write !== follower.write && follower.key !== entry.key) this.#update({ ...follower, write });
    }
    this.#options.settled(done, answer);
    if (!this.#unstored.has(entry.key)) this.#options.store.save(done);
    this.#drop(entry.key);
    const waiter = this.#waiters.get(entry.key);
    if (waiter) {
      this.#waiters.delete(entry.key);
      clearTimeout(waiter.timer);
      waiter.resolve({ status: 'done', answer });
    }
    this.#notBefore = 0;
    this.#noteSlowness();
    this.#options.changed();
  }

  #failed(entry: Entry, error: ApiError): void {
    if (!this.#entries.has(entry.key)) return; // given up meanwhile
    if (!isTransient(error.kind)) {
      this.#refuse(entry, error);
      return;
    }
    // Without a connection nothing was tried, and the next one wakes us.
    const tries = error.kind === 'unreachable' && !this.#options.connected() ? entry.tries : entry.tries + 1;
    if (tries >= TRIES) {
      this.#refuse(entry, error);
      return;
    }
    this.#update({ ...entry, tries });
    const wait = Math.min(RETRY_LONGEST, RETRY_FIRST * 2 ** Math.max(tries - 1, 0));
    this.#notBefore = Date.now() + Math.max((error.retryAfter ?? 0) * 1_000, wait / 2 + (wait / 2) * this.#options.random());
    const waiter = this.#waiters.get(entry.key);
    if (waiter) this.#release(entry.key, waiter);
    this.#options.changed();
  }

  /** Whoever still waits for the answer is told, and has what was typed; otherwise it is kept to be shown. */
  #refuse(entry: Entry, refusal: Refusal): void {
    const { kind, message } = refusal;
    const waiter = this.#waiters.get(entry.key);
    if (waiter) {
      this.#waiters.delete(entry.key);
      clearTimeout(waiter.timer);
      this.#drop(entry.key);
      waiter.reject(refusal instanceof ApiError ? refusal : new ApiError(kind, message));
    } else {
      this.#update({ ...entry, status: 'refused', refusal: { kind, message } });
    }
    this.#noteSlowness();
    this.#options.changed();
  }

  #tryLater(delay: number): void {
    this.#retryTimer = clear(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      void this.#drain();
    }, delay);
  }

  /** From now on the caller need not wait. */
  #release(key: string, waiter: Waiter): void {
    this.#waiters.delete(key);
    clearTimeout(waiter.timer);
    this.#markSlow();
    waiter.resolve({ status: 'waiting' });
  }

  // --- keeping ------------------------------------------------------------------------------------

  #heard(key: string, entry: Entry | null): void {
    const known = this.#entries.get(key);
    if (this.#gone.has(key)) return;
    if (entry === null) {
      if (known) this.#forget(key);
    } else if (entry.status === 'done' && entry.answer !== null) {
      this.#remember(entry);
      this.#options.settled(entry, entry.answer);
      this.#forget(key);
      const waiter = this.#waiters.get(key);
      if (waiter) {
        this.#waiters.delete(key);
        clearTimeout(waiter.timer);
        waiter.resolve({ status: 'done', answer: entry.answer });
      }
    } else {
      // News may be older than what this tab has done since; the store is not.
      const current = this.#options.store.get(key);
      if (current === null) return;
      this.#take(current);
      if (current.status === 'refused' && this.#waiters.has(key) && current.refusal !== null) this.#refuse(current, current.refusal);
      if (known === undefined && this.#options.connected()) this.#tryLater(FOREIGN_DELAY);
    }
    this.#noteSlowness();
    this.#options.changed();
  }

  /** The entry with ids and versions that have become known since it was made. */
  #resolved(write: Write): Write {
    const bookId = this.idOf(write.bookId);
    let next: Write = bookId === write.bookId || write.kind === 'add' ? write : { ...write, bookId };
    if (next.kind === 'change' || next.kind === 'remove') {
      const version = next.seen.after === null ? undefined : this.#versions.get(next.seen.after);
      if (version !== undefined) next = { ...next, seen: { version, after: null } };
    }
    return next;
  }

  #remember({ key, write, answer }: Entry): void {
    const book = answer?.book ?? null;
    if (book === null) return;
    if (write.kind === 'add') this.#ids.set(write.bookId, book.id);
    if (answer?.position != null) this.#versions.set(key, { epoch: answer.position.epoch, sequence: book.version });
    for (const map of [this.#ids, this.#versions] as Map<unknown, unknown>[]) {
      const [oldest] = map.keys();
      if (map.size > REMEMBERED) map.delete(oldest);
    }
  }

  #take(entry: Entry): void {
    if (entry.status === 'done') {
      // Its tab closed between the answer and the end; the server has it.
      this.#options.store.remove(entry.key);
      return;
    }
    if (this.#gone.has(entry.key)) return;
    this.#entries.set(entry.key, entry);
    this.#lastOrder = Math.max(this.#lastOrder, entry.order);
    this.#sorted = null;
  }

  #update(entry: Entry): void {
    this.#take(entry);
    if (this.#options.store.save(entry)) this.#unstored.delete(entry.key);
    else this.#unstored.add(entry.key);
  }

  #drop(key: string): void {
    this.#options.store.remove(key);
    this.#forget(key);
  }

  #forget(key: string): void {
    this.#entries.delete(key);
    this.#unstored.delete(key);
    this.#sorted = null;
    this.#gone.add(key);
    const [oldest] = this.#gone;
    if (oldest !== undefined && this.#gone.size > REMEMBERED) this.#gone.delete(oldest);
  }

  #hasWaiting(): boolean {
    return this.entries.some((entry) => entry.status === 'waiting');
  }

  #noteSlowness(): void {
    if (!this.#hasWaiting()) {
      this.#slowTimer = clear(this.#slowTimer);
      this.#slow = false;
    } else if (!this.#slow && !this.#options.connected()) {
      this.#slow = true;
    } else if (!this.#slow && this.#running !== null) {
      this.#slowTimer ??= setTimeout(() => {
        this.#slowTimer = null;
        this.#markSlow();
      }, QUICK);
    }
  }

  #markSlow(): void {
    if (this.#slow || !this.#hasWaiting()) return;
    this.#slow = true;
    this.#options.changed();
  }
}

function clear(timer: ReturnType<typeof setTimeout> | null): null {
  if (timer !== null) clearTimeout(timer);
  return null;
}

/** As random as a UUID; the browser's own UUIDs exist on secure pages only. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

import type { ServerEvents } from '../contract/asyncapi';
import { ActivityLog } from './activity';
import type { Api } from './api';
import { loanStatus, parseBook, type Book, type BookPatch, type Draft } from './book';
import { Catalogue, type CatalogueEvent, type ChangeKind, type Difference } from './catalogue';
import type { ConnectionState, Listener, LiveSocket } from './connection';
import { Dashboard } from './dashboard';
import { EventLog } from './eventLog';
import { LastKnown } from './lastKnown';
import { Link } from './link';
import { webLocks, type Locks } from './locks';
import { Notifier } from './notifier';
import { Outbox } from './outbox';
import { LocalOutboxStore, type OutboxStore } from './outboxStore';
import { OwnWrites, type Flight } from './ownWrites';
import { fulfils, temporaryId, type Entry, type Seen, type Write, type WriteAnswer } from './pending';
import { parsePosition } from './position';
import { IndexedSnapshotStore, type KeptSnapshot, type SnapshotStore } from './snapshotStore';
import { ApiError } from './rest';
import { ALL_IS_WELL, readServiceStatus, type ServiceState } from './service';
import { Stream } from './stream';
import { ScreenTimings } from './timings';

export interface Identity {
  readonly userId: string;
  readonly role: 'reader' | 'owner';
  /** Whether this person may do more than read and give hearts; the server decides, this is what to offer. */
  readonly mayEdit: boolean;
}

export interface LibraryOptions {
  readonly identity: Identity;
  readonly socket: LiveSocket;
  readonly api: Api;
  /** For jitter; from 0 up to 1. */
  readonly random?: () => number;
  /** Where changes wait; localStorage when absent. */
  readonly store?: OutboxStore;
  /** Where the last known catalogue is kept; IndexedDB when absent. */
  readonly snapshots?: SnapshotStore;
  /** Lets one tab at a time send; the browser's Web Locks when absent. */
  readonly locks?: Locks;
}

/** What became of a write when its caller is told. */
export interface Written {
  /** `waiting`: kept on this device; it goes out when it can. */
  readonly status: 'done' | 'waiting';
  /** The book as it is shown now; null when it is not. */
  readonly book: Book | null;
}

/** What the server has not taken. */
export interface Pending {
  /** Oldest first; empty as long as all goes quickly. */
  readonly waiting: readonly Entry[];
  /** What the server will not take as it is: rolled back, and kept until the person decides. */
  readonly refused: readonly Entry[];
  /** False when some of it would be lost with this page. */
  readonly durable: boolean;
}

const NONE: readonly Entry[] = [];

/** Which event of the server tells of a kind of change. */
const EVENTS: Readonly<Record<ChangeKind, keyof ServerEvents>> = {
  add: 'bookAdded',
  change: 'bookUpdated',
  remove: 'bookDeleted',
  favorite: 'favoriteUpdated',
};

/** Whether there is anything to show yet. */
export type CatalogueStatus = { readonly status: 'loading' } | { readonly status: 'ready' } | { readonly status: 'failed'; readonly error: ApiError };

/** After so long without a connection the app says "offline" and shows how old its data is. */
export const OFFLINE_AFTER = 15_000;
/** A server that has not answered by then is not waited for where this device remembers a catalogue. */
export const RECALL_AFTER = 1_500;

/**
 * One person's live view of the library: the catalogue, the connection, what happened, and the
 * commands. Made once in main.tsx; views subscribe to its slices. Everything runs on the page's one
 * thread; the socket and the timers belong to it from the first `retain` to the last release.
 */
export class Library {
  readonly identity: Identity;
  readonly activity = new ActivityLog();
  readonly dashboard: Dashboard;
  /** What passes by, while somebody watches it. */
  readonly events: EventLog;
  readonly #api: Api;
  readonly #socket: LiveSocket;
  readonly #catalogue = new Catalogue();
  readonly #link: Link;
  readonly #stream: Stream;
  readonly #own = new OwnWrites();
  readonly #outbox: Outbox;
  /** Own writes that were sent, and are neither taken nor refused yet, by their keys. */
  readonly #flights = new Map<string, Flight>();
  readonly #lastKnown: LastKnown;
  /** What an earlier visit left, until the server's own is here. */
  #kept: KeptSnapshot | null = null;
  #recallTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #pendingChanged = new Notifier();
  #pending: Pending = { waiting: NONE, refused: NONE, durable: true };
  readonly #booksChanged = new Notifier(50);
  readonly #connectionChanged = new Notifier();
  #connection: ConnectionState = { status: 'catching-up', first: true };
  #service = ALL_IS_WELL;
  #catalogueStatus: CatalogueStatus = { status: 'loading' };
  #retained = 0;
  #running = false;
  #downSince: number | null = null;
  #offlineTimer: ReturnType<typeof setTimeout> | null = null;
  /** When the data was last known to be current, in epoch milliseconds. */
  #currentAt: number | null = null;
  #everLive = false;
  /** Events whose author is not known yet, because an answer is under way. */
  #unattributed: { difference: Difference; missed: boolean; painted: Promise<number> | null }[] = [];
  readonly #timings: ScreenTimings;

  constructor(options: LibraryOptions) {
    this.identity = options.identity;
    this.#api = options.api;
    this.#socket = options.socket;
    const random = options.random ?? Math.random;
    this.events = new EventLog(options.socket);
    this.dashboard = new Dashboard(options.socket, () => this.#countOut());
    this.#link = new Link(
      options.socket,
      {
        connected: (recovered) => {
          this.#takeService(ALL_IS_WELL); // another server perhaps, which tells if it is not
          this.#stream.connected(recovered);
          this.dashboard.connected();
          this.#refreshConnection();
        },
        changed: () => this.#linkChanged(),
      },
      random,
    );
    this.#stream = new Stream({
      catalogue: this.#catalogue,
      fetchSnapshot: (signal) => options.api.snapshot(signal),
      random,
      changed: (differences, missed) => this.#changed(differences, missed),
      stateChanged: () => this.#refreshConnection(),
    });
    this.#outbox = new Outbox({
      store: options.store ?? new LocalOutboxStore(options.identity.userId),
      locks: options.locks ?? webLocks,
      lockName: `shelfcast.outbox:${options.identity.userId}`,
      random,
      // After `synced`, so that what was missed comes before the answers.
      connected: () => this.#link.connected && this.#stream.synchronised && this.#service.writable,
      send: (entry) => this.#send(entry),
      settled: (entry, answer) => this.#settled(entry, answer),
      changed: () => this.#outboxChanged(),
    });
    this.#lastKnown = new LastKnown({
      store: options.snapshots ?? new IndexedSnapshotStore(options.identity.userId),
      now: () => this.#snapshotToKeep(),
      found: (kept) => {
        this.#kept = kept;
        this.#recallIfNeeded();
      },
    });
    this.#timings = new ScreenTimings({
      subscribe: this.#booksChanged.subscribe,
      report: (samples) => options.api.reportTimings(samples),
      random,
    });
    this.#outboxChanged();
  }

  // --- slices -----------------------------------------------------------------------------------

  readonly subscribeBooks = this.#booksChanged.subscribe;
  readonly books = (): readonly Book[] => this.#catalogue.books;
  readonly book = (id: number): Book | null => this.#catalogue.get(id);
  /** A name for a book that stays the same when the server gives an added one its id; for keys in lists. */
  readonly keyOf = (id: number): number => this.#catalogue.keyOf(id);
  readonly catalogueStatus = (): CatalogueStatus => this.#catalogueStatus;

  readonly subscribeConnection = this.#connectionChanged.subscribe;
  readonly connection = (): ConnectionState => this.#connection;
  /** Whether the server stores changes, and how old what it shows is. */
  readonly service = (): ServiceState => this.#service;
  /** Since when the data may be old; null before the first catch-up. */
  readonly currentAt = (): number | null => this.#currentAt;
  /** Whether all that is shown is what this device remembers of an earlier visit, at `currentAt`. */
  readonly recalled = (): boolean => this.#catalogue.recalled;

  readonly subscribePending = this.#pendingChanged.subscribe;
  /** What waits and what was refused. */
  readonly pending = (): Pending => this.#pending;

  // --- life -------------------------------------------------------------------------------------

  /** Runs the library until the returned function is called. Calls nest; mounting twice is harmless. */
  retain(): () => void {
    this.#retained += 1;
    if (!this.#running) this.#start();
    let retained = true;
    return () => {
      if (!retained) return;
      retained = false;
      this.#retained -= 1;
      // StrictMode unmounts and mounts again in one go: the socket does not notice.
      queueMicrotask(() => {
        if (this.#retained === 0 && this.#running) this.#stop();
      });
    };
  }

  readonly retryNow = (): void => {
    this.#link.retryNow();
    this.#outbox.wake();
    if (!this.#catalogue.loaded) this.#stream.refetch(0);
  };

  #start(): void {
    this.#running = true;
    for (const [event, listener] of this.#listeners) this.#socket.on(event, listener);
    for (const [event, listener] of this.dashboard.listeners) this.#socket.on(event, listener);
    this.#lastKnown.start();
    this.#timings.start();
    this.#recallTimer = setTimeout(() => {
      this.#recallTimer = null;
      this.#recallIfNeeded();
    }, RECALL_AFTER);
    this.#stream.start();
    this.#outbox.start();
    this.#link.start();
  }

  #stop(): void {
    this.#running = false;
    this.#lastKnown.stop();
    this.#timings.stop();
    if (this.#recallTimer !== null) clearTimeout(this.#recallTimer);
    this.#recallTimer = null;
    this.#link.stop();
    this.#outbox.stop();
    this.#stream.stop();
    this.dashboard.stop();
    for (const [event, listener] of this.#listeners) this.#socket.off(event, listener);
    for (const [event, listener] of this.dashboard.listeners) this.#socket.off(event, listener);
    if (this.#offlineTimer !== null) clearTimeout(this.#offlineTimer);
    this.#offlineTimer = null;
    this.#downSince = null;
    this.activity.stop();
    this.#booksChanged.cancel();
  }

  // --- commands ---------------------------------------------------------------------------------
  // Each shows at once, is kept on this device before it returns, and resolves when the server has
  // taken it or when it is clear that it has to wait. It rejects with ApiError when the server
  // refuses while the caller waits; then it is rolled back and forgotten, for the caller tells. A
  // refusal that comes later is found in `pending`.

  add(draft: Draft): Promise<Written> {
    return this.#write({ kind: 'add', bookId: temporaryId(), draft }, null);
  }

  /** `seen` is the book that the person looked at: the change is refused with `changed` when it has moved on since. */
  change(seen: Book, patch: BookPatch): Promise<Written> {
    return this.#write({ kind: 'change', bookId: seen.id, patch, seen: this.#seen(seen) }, seen);
  }

  /** As `change`; a book that is gone already counts as removed. */
  remove(seen: Book): Promise<Written> {
    return this.#write({ kind: 'remove', bookId: seen.id, seen: this.#seen(seen) }, seen);
  }

  setFavorite(book: Book, favorite: boolean): Promise<Written> {
    return this.#write({ kind: 'favorite', bookId: book.id, favorite }, book);
  }

  /** Sends a refused change again. `seen`: as an edit of this book, which the person has looked at now. */
  retry(key: string, seen?: Book): void {
    const version = seen === undefined ? null : this.#seen(seen).version;
    this.#outbox.retry(key, version ?? undefined);
  }

  /** Gives up a change that waits or was refused. */
  discard(key: string): void {
    this.#outbox.discard(key);
  }

  /** The current book from the server, for an editor that was told that its copy is old. */
  async reload(id: number): Promise<Book> {
    const book = await this.#api.book(this.#outbox.idOf(id));
    this.#catalogue.answerWrite(book);
    this.#booksChanged.notify();
    return book;
  }

  loadSamples(): Promise<void> {
    return this.#api.loadSamples();
  }

  async #write(write: Write, book: Book | null): Promise<Written> {
    const { status } = await this.#outbox.add(write, this.#catalogue.position, book);
    return { status, book: this.#catalogue.get(write.bookId) };
  }

  #seen(book: Book): Seen {
    const epoch = this.#catalogue.position?.epoch;
    const version = epoch === undefined || book.version === 0 ? null : { epoch, sequence: book.version };
    return { version, after: book.edit ?? null };
  }

  /** Sends an entry of the outbox. */
  async #send({ key, write }: Entry): Promise<WriteAnswer> {
    const before = this.#flights.get(key);
    if (before === undefined) this.#flights.set(key, this.#own.begin(write.kind, write.kind === 'add' ? null : write.bookId));
    else before.since = null;
    switch (write.kind) {
      case 'add': {
        const { value, position } = await this.#api.add(write.draft, key);
        return { book: value, position: position ?? this.#seen(value).version, count: null };
      }
      case 'change':
        try {
          const { value, position } = await this.#api.change(write.bookId, write.patch, write.seen.version, key);
          return { book: value, position: position ?? this.#seen(value).version, count: null };
        } catch (error) {
          // Nothing is left to do where the book is as the person wanted it.
          const current = error instanceof ApiError && error.kind === 'changed' ? error.current : null;
          if (current === null || !fulfils(current, write.patch)) throw error;
          return { book: current, position: this.#seen(current).version, count: null, already: true };
        }
      case 'remove':
        try {
          const { position } = await this.#api.remove(write.bookId, write.seen.version, key);
          return { book: null, position, count: null };
        } catch (error) {
          if (!(error instanceof ApiError) || error.kind !== 'not-found') throw error;
          return { book: null, position: null, count: null, already: true };
        }
      case 'favorite': {
        const { value, position } = await this.#api.setFavorite(write.bookId, write.favorite, key);
        return { book: null, position, count: value };
      }
    }
  }

  /** The server took a change, of this tab or of another. From here on its answer stands for it. */
  #settled({ key, write, madeBy }: Entry, { book, position, count, already = false }: WriteAnswer): void {
    if (book !== null) {
      if (write.kind === 'add') this.#catalogue.name(write.bookId, book.id);
      this.#catalogue.answerWrite(book);
    } else if (write.kind === 'remove') {
      this.#catalogue.answerDelete(write.bookId, position);
    } else if (write.kind === 'favorite' && count !== null) {
      this.#catalogue.answerFavorite(write.bookId, write.favorite, count, position);
    }
    const flight = this.#flights.get(key) ?? (this.#outbox.madeHere(madeBy) ? this.#own.begin(write.kind, book?.id ?? write.bookId) : null);
    this.#flights.delete(key);
    if (flight !== null) {
      if (already) this.#own.fail(flight);
      else this.#own.succeed(flight, book?.version ?? position?.sequence ?? null);
    }
    this.#stream.answered();
    this.#lastKnown.touch();
  }

  #outboxChanged(): void {
    const { entries, slow, durable } = this.#outbox;
    const waiting = entries.filter((entry) => entry.status === 'waiting');
    this.#catalogue.setPending(waiting, slow);
    const refused = entries.filter((entry) => entry.status === 'refused');
    const before = this.#pending;
    this.#pending = { waiting: slow ? waiting : NONE, refused: refused.length > 0 ? refused : NONE, durable };
    const underWay = new Set(waiting.map((entry) => entry.key));
    for (const [key, flight] of this.#flights) {
      if (underWay.has(key)) continue;
      this.#own.fail(flight);
      this.#flights.delete(key);
    }
    this.#attribute();
    this.#booksChanged.notifyNow();
    if (this.#pending.waiting !== before.waiting || this.#pending.refused !== before.refused || durable !== before.durable) this.#pendingChanged.notify();
    this.dashboard.catalogueChanged();
  }

  // --- what comes in ----------------------------------------------------------------------------

  readonly #listeners: readonly [string, Listener][] = [
    [
      'serviceStatus',
      (...[status]: Partial<ServerEvents['serviceStatus']>) => {
        const service = readServiceStatus(status);
        if (service !== null) this.#takeService(service);
      },
    ],
    ...(['bookAdded', 'bookUpdated', 'bookDeleted'] as const).map((type): [string, Listener] => [
      type,
      (value: unknown, position: unknown) => {
        const book = parseBook(value, this.identity.userId);
        if (book !== null) this.#take({ type, book, position: parsePosition(position) });
      },
    ]),
    [
      'favoriteUpdated',
      (value: unknown, position: unknown) => {
        const { bookId, favoritesCount } = (value ?? {}) as Record<string, unknown>;
        if (typeof bookId !== 'number' || typeof favoritesCount !== 'number') return;
        this.#take({ type: 'favoriteUpdated', bookId, favoritesCount, position: parsePosition(position) });
      },
    ],
    [
      'synced',
      (value: unknown) => {
        const { position, recovered, missed } = (value ?? {}) as Record<string, unknown>;
        this.#stream.synced(parsePosition(position), recovered === true, typeof missed === 'number' ? missed : null);
        this.#outbox.wake();
      },
    ],
    ['reconnect', () => this.#stream.toldToRefetch()],
  ];

  #take(event: CatalogueEvent): void {
    this.#stream.take(event);
  }

  #changed(differences: readonly Difference[], missed: boolean): void {
    const painted = missed ? null : this.#timings.nextPaint();
    for (const difference of differences) this.#unattributed.push({ difference, missed, painted });
    this.#attribute();
    this.dashboard.catalogueChanged();
    this.#lastKnown.touch();
    this.#booksChanged.notify();
  }

  #attribute(): void {
    const known: { difference: Difference; own: boolean; missed: boolean }[] = [];
    this.#unattributed = this.#unattributed.filter(({ difference, missed, painted }) => {
      const origin = this.#own.originOf(difference);
      if (origin === 'unknown') return true;
      known.push({ difference, own: origin !== 'remote', missed });
      if (origin !== 'remote' && painted !== null) this.#measure(origin, painted);
      return false;
    });
    if (known.length > 0) this.activity.record(known, Date.now());
  }

  #measure({ kind, since }: Flight, painted: Promise<number>): void {
    if (since !== null) void painted.then((at) => this.#timings.note(EVENTS[kind], since, at));
  }

  #countOut(): number {
    const now = Date.now();
    let out = 0;
    for (const book of this.#catalogue.books) if (loanStatus(book, now) !== 'available') out += 1;
    return out;
  }

  // --- what people are told about the connection --------------------------------------------------

  #linkChanged(): void {
    if (this.#link.state.status === 'waiting') {
      this.#stream.disconnected();
      this.dashboard.disconnected();
      if (this.#downSince === null) {
        this.#downSince = Date.now();
        if (this.#connection.status === 'live') {
          this.#currentAt = this.#downSince;
          this.#lastKnown.saveNow();
        }
        this.#offlineTimer = setTimeout(() => this.#refreshConnection(), OFFLINE_AFTER);
      }
    }
    this.#refreshConnection();
  }

  #takeService(service: ServiceState): void {
    const { writable, asOf } = this.#service;
    if (service.writable === writable && service.asOf === asOf) return;
    this.#service = service;
    if (service.writable && !writable) this.#outbox.wake();
    this.#connectionChanged.notify();
  }

  // --- what this device remembers -----------------------------------------------------------------

  #snapshotToKeep(): KeptSnapshot | null {
    if (!this.#catalogue.loaded) return null;
    const at = this.#connection.status === 'live' ? Date.now() : this.#currentAt;
    return at === null ? null : { ...this.#catalogue.known, at };
  }

  /** Shows what is remembered once it is clear that the server's own will not be here at once. */
  #recallIfNeeded(): void {
    if (this.#kept === null || this.#catalogue.loaded || this.#catalogue.recalled) return;
    if (this.#downSince === null && this.#stream.error === null && this.#recallTimer !== null) return;
    this.#catalogue.recall(this.#kept);
    this.#currentAt = this.#kept.at;
    this.#kept = null;
    this.#refreshConnection();
    this.#connectionChanged.notify();
    this.#booksChanged.notify();
  }

  #refreshConnection(): void {
    this.#recallIfNeeded();
    this.#refreshStatus();
    const next = this.#describe();
    if (next.status === 'live') {
      this.#everLive = true;
      this.#currentAt = Date.now();
      if (this.#connection.status !== 'live') this.#lastKnown.touch();
    }
    if (same(this.#connection, next)) return;
    this.#connection = next;
    this.#connectionChanged.notify();
  }

  #describe(): ConnectionState {
    const link = this.#link.state;
    if (link.status === 'connected') {
      this.#downSince = null;
      if (this.#offlineTimer !== null) clearTimeout(this.#offlineTimer);
      this.#offlineTimer = null;
      return this.#stream.current ? { status: 'live' } : { status: 'catching-up', first: !this.#everLive };
    }
    if (link.status === 'stopped' || this.#downSince === null) return { status: 'catching-up', first: !this.#everLive };
    const nextTry = link.status === 'waiting' ? link.nextTry : null;
    const { attempt } = link;
    // The browser is believed when it says that there is no network, never when it says that there is one.
    // What is remembered was never current in this page: nobody shall take it for that.
    if (Date.now() - this.#downSince >= OFFLINE_AFTER || !navigator.onLine || this.#catalogue.recalled) {
      return { status: 'offline', since: this.#downSince, attempt, nextTry };
    }
    return { status: 'reconnecting', attempt, nextTry };
  }

  #refreshStatus(): void {
    const previous = this.#catalogueStatus;
    const { error } = this.#stream;
    if (this.#catalogue.loaded || this.#catalogue.recalled) {
      if (previous.status !== 'ready') this.#catalogueStatus = { status: 'ready' };
    } else if (error !== null) {
      if (previous.status !== 'failed' || previous.error !== error) this.#catalogueStatus = { status: 'failed', error };
    }
    if (previous !== this.#catalogueStatus) this.#booksChanged.notify();
  }
}

function same(a: ConnectionState, b: ConnectionState): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

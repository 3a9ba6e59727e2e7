import { ActivityLog } from './activity';
import { ApiError, type Answered, type Api } from './api';
import { loanStatus, parseBook, type Book, type BookPatch, type Draft } from './book';
import { Catalogue, type CatalogueEvent, type ChangeKind, type Difference } from './catalogue';
import type { ConnectionState, Listener, LiveSocket } from './connection';
import { Dashboard } from './dashboard';
import { Link } from './link';
import { Notifier } from './notifier';
import { OwnWrites } from './ownWrites';
import { parsePosition } from './position';
import { Stream } from './stream';

export interface Identity {
  readonly userId: string;
  readonly role: 'reader' | 'owner';
}

export interface LibraryOptions {
  readonly identity: Identity;
  readonly socket: LiveSocket;
  readonly api: Api;
  /** For jitter; from 0 up to 1. */
  readonly random?: () => number;
}

/** Whether there is anything to show yet. */
export type CatalogueStatus = { readonly status: 'loading' } | { readonly status: 'ready' } | { readonly status: 'failed'; readonly error: ApiError };

/** After so long without a connection the app says "offline" and shows how old its data is. */
export const OFFLINE_AFTER = 15_000;

/**
 * One person's live view of the library: the catalogue, the connection, what happened, and the
 * commands. Made once in main.tsx; views subscribe to its slices. Everything runs on the page's one
 * thread; the socket and the timers belong to it from the first `retain` to the last release.
 */
export class Library {
  readonly identity: Identity;
  readonly activity = new ActivityLog();
  readonly dashboard: Dashboard;
  readonly #api: Api;
  readonly #socket: LiveSocket;
  readonly #catalogue = new Catalogue();
  readonly #link: Link;
  readonly #stream: Stream;
  readonly #own = new OwnWrites();
  readonly #booksChanged = new Notifier(50);
  readonly #connectionChanged = new Notifier();
  #connection: ConnectionState = { status: 'catching-up', first: true };
  #catalogueStatus: CatalogueStatus = { status: 'loading' };
  #retained = 0;
  #running = false;
  #downSince: number | null = null;
  #offlineTimer: ReturnType<typeof setTimeout> | null = null;
  /** When the data was last known to be current, in epoch milliseconds. */
  #currentAt: number | null = null;
  #everLive = false;
  /** Events whose author is not known yet, because an answer is under way. */
  #unattributed: { difference: Difference; missed: boolean }[] = [];

  constructor(options: LibraryOptions) {
    this.identity = options.identity;
    this.#api = options.api;
    this.#socket = options.socket;
    const random = options.random ?? Math.random;
    this.dashboard = new Dashboard(options.socket, () => this.#countOut());
    this.#link = new Link(
      options.socket,
      {
        connected: (recovered) => {
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
  }

  // --- slices -----------------------------------------------------------------------------------

  readonly subscribeBooks = this.#booksChanged.subscribe;
  readonly books = (): readonly Book[] => this.#catalogue.books;
  readonly book = (id: number): Book | null => this.#catalogue.get(id);
  readonly catalogueStatus = (): CatalogueStatus => this.#catalogueStatus;

  readonly subscribeConnection = this.#connectionChanged.subscribe;
  readonly connection = (): ConnectionState => this.#connection;
  /** Since when the data may be old; null before the first catch-up. */
  readonly currentAt = (): number | null => this.#currentAt;

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
    if (!this.#catalogue.loaded) this.#stream.refetch(0);
  };

  #start(): void {
    this.#running = true;
    for (const [event, listener] of this.#listeners) this.#socket.on(event, listener);
    for (const [event, listener] of this.dashboard.listeners) this.#socket.on(event, listener);
    this.#stream.start();
    this.#link.start();
  }

  #stop(): void {
    this.#running = false;
    this.#link.stop();
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

  add(draft: Draft): Promise<Book> {
    return this.#write('add', null, () => this.#api.add(draft), (answer) => {
      this.#catalogue.answerWrite(answer.value);
      return answer.value.version;
    });
  }

  /** `seenVersion` is the version that the person looked at. Rejects with `changed` when the book has moved on since. */
  change(id: number, patch: BookPatch, seenVersion: number): Promise<Book> {
    const epoch = this.#catalogue.position?.epoch;
    const seen = epoch === undefined || seenVersion === 0 ? null : { epoch, sequence: seenVersion };
    return this.#write('change', id, () => this.#api.change(id, patch, seen), (answer) => {
      this.#catalogue.answerWrite(answer.value);
      return answer.value.version;
    });
  }

  async remove(id: number): Promise<void> {
    await this.#write('remove', id, () => this.#api.remove(id), (answer) => {
      this.#catalogue.answerDelete(id, answer.position);
      return answer.position?.sequence ?? null;
    });
  }

  setFavorite(id: number, favorite: boolean): Promise<number> {
    return this.#write('favorite', id, () => this.#api.setFavorite(id, favorite), (answer) => {
      this.#catalogue.answerFavorite(id, favorite, answer.value, answer.position);
      return answer.position?.sequence ?? null;
    });
  }

  /** The current book from the server, for an editor that was told that its copy is old. */
  async reload(id: number): Promise<Book> {
    const book = await this.#api.book(id);
    this.#catalogue.answerWrite(book);
    this.#booksChanged.notify();
    return book;
  }

  loadSamples(): Promise<void> {
    return this.#api.loadSamples();
  }

  async #write<T>(kind: ChangeKind, bookId: number | null, send: () => Promise<Answered<T>>, settle: (answer: Answered<T>) => number | null): Promise<T> {
    const flight = this.#own.begin(kind, bookId);
    try {
      const answer = await send();
      this.#own.succeed(flight, settle(answer));
      this.#stream.answered();
      this.#booksChanged.notify();
      return answer.value;
    } catch (error) {
      this.#own.fail(flight);
      throw error;
    } finally {
      this.#attribute();
    }
  }

  // --- what comes in ----------------------------------------------------------------------------

  readonly #listeners: readonly [string, Listener][] = [
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
        const { position, recovered } = (value ?? {}) as Record<string, unknown>;
        this.#stream.synced(parsePosition(position), recovered === true);
      },
    ],
    ['reconnect', () => this.#stream.toldToRefetch()],
  ];

  #take(event: CatalogueEvent): void {
    this.#stream.take(event);
  }

  #changed(differences: readonly Difference[], missed: boolean): void {
    for (const difference of differences) this.#unattributed.push({ difference, missed });
    this.#attribute();
    this.dashboard.catalogueChanged();
    this.#booksChanged.notify();
  }

  #attribute(): void {
    const known: { difference: Difference; own: boolean; missed: boolean }[] = [];
    this.#unattributed = this.#unattributed.filter(({ difference, missed }) => {
      const origin = this.#own.originOf(difference);
      if (origin === 'unknown') return true;
      known.push({ difference, own: origin === 'own', missed });
      return false;
    });
    if (known.length > 0) this.activity.record(known, Date.now());
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
        if (this.#connection.status === 'live') this.#currentAt = this.#downSince;
        this.#offlineTimer = setTimeout(() => this.#refreshConnection(), OFFLINE_AFTER);
      }
    }
    this.#refreshConnection();
  }

  #refreshConnection(): void {
    this.#refreshStatus();
    const next = this.#describe();
    if (next.status === 'live') {
      this.#everLive = true;
      this.#currentAt = Date.now();
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
    if (Date.now() - this.#downSince >= OFFLINE_AFTER || !navigator.onLine) {
      return { status: 'offline', since: this.#downSince, attempt, nextTry };
    }
    return { status: 'reconnecting', attempt, nextTry };
  }

  #refreshStatus(): void {
    const previous = this.#catalogueStatus;
    const { error } = this.#stream;
    if (this.#catalogue.loaded) {
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

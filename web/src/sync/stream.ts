import { ApiError } from './rest';
import type { Catalogue, CatalogueEvent, Difference, Snapshot } from './catalogue';
import { reaches, type Position } from './position';

export interface StreamOptions {
  readonly catalogue: Catalogue;
  readonly fetchSnapshot: (signal: AbortSignal) => Promise<Snapshot>;
  readonly random: () => number;
  /** The base changed. `missed`: it happened while this client was away. */
  readonly changed: (differences: readonly Difference[], missed: boolean) => void;
  /** `current` or `error` may have changed. */
  readonly stateChanged: () => void;
}

/** Clients that come back together must not ask for the whole catalogue together. */
const REFETCH_SPREAD = 1_000;
/** More events than this while waiting for a snapshot are not kept: a later snapshot will contain them. */
const BUFFER_LIMIT = 10_000;
const RETRY_FIRST = 1_000;
const RETRY_LONGEST = 15_000;

/**
 * Joins the two sources of the catalogue, the snapshot and the stream of events, without a gap and
 * without applying anything twice. The stream of a connection begins at the position that `synced`
 * names; until a snapshot at that position or later is in, events wait.
 */
export class Stream {
  readonly #options: StreamOptions;
  /** Events are applied as they come; otherwise something before them may be missing, and they wait. */
  #contiguous = false;
  /** Where the events of this connection, and so the buffer, begin. Null until the server says so. */
  #begin: Position | null = null;
  /** The connection has delivered all that was missed. */
  #synced = false;
  #first = true;
  #replaying = false;
  /** Events that came between the connection and `synced`. */
  #replayed = 0;
  #buffer: CatalogueEvent[] = [];
  /**
   * What is known is not the state at any position of the server's log, until a snapshot is in:
   * events were applied over a hole, or an older copy of the log was put in place.
   */
  #torn = false;
  /** How far the catalogue was when the connection went. */
  #leftAt: Position | null = null;
  #error: ApiError | null = null;
  #fetching: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #failures = 0;
  /** Answers to own writes so far, and how many there were when the present fetch set out. */
  #answers = 0;
  #answersAtFetch = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** Whether the catalogue is all that the server has told so far, with nothing outstanding. */
  get current(): boolean {
    return this.#contiguous && this.#synced;
  }

  /** Whether this connection has delivered all that was missed, or said that it cannot. */
  get synchronised(): boolean {
    return this.#synced;
  }

  /** Why the last fetch failed; null when it did not. */
  get error(): ApiError | null {
    return this.#error;
  }

  /** Fetches while the socket is still connecting: on most starts that is one round trip less. */
  start(): void {
    this.refetch(0);
  }

  stop(): void {
    this.#cancel();
    this.#contiguous = false;
    this.#synced = false;
    this.#begin = null;
    this.#buffer = [];
  }

  connected(recovered: boolean): void {
    this.#synced = false;
    this.#replaying = recovered;
    this.#replayed = 0;
    if (recovered) return;
    this.#contiguous = false;
    this.#begin = null;
    this.#buffer = [];
  }

  disconnected(): void {
    this.#synced = false;
    this.#leftAt = this.#options.catalogue.position;
  }

  /** `missed`: how many events the server says that it has just replayed; null when it does not say. */
  synced(position: Position | null, recovered: boolean, missed: number | null): void {
    const whole = recovered && this.#replaying && (missed === null || missed === this.#replayed) && this.#continues(position);
    this.#synced = true;
    if (whole) {
      // What was made and unmade meanwhile was not told; the catalogue is that far all the same.
      if (this.#contiguous) this.#options.catalogue.reached(position);
    } else {
      // Whatever comes from now on is kept; before it something may be missing.
      // A server that is behind what it told before had an older copy of its data put in place.
      const putBack = position !== null && this.#leftAt !== null && this.#continues(position) && !reaches(position, this.#leftAt);
      if (this.#replaying || putBack) this.#torn = true;
      this.#begin = position;
      this.#contiguous = false;
    }
    this.#replaying = false;
    if (!this.#contiguous && !this.#join() && this.#fetching === null) this.refetch(this.#spread());
    this.#first = false;
    this.#options.stateChanged();
  }

  /** The server's `reconnect`: this client could not be recovered. What `synced` has settled already stays settled. */
  toldToRefetch(): void {
    if (this.#contiguous && this.#synced) return;
    if (this.#timer !== null || this.#fetching !== null) return;
    this.#contiguous = false;
    this.refetch(this.#spread());
    this.#options.stateChanged();
  }

  take(event: CatalogueEvent): void {
    this.#replayed += 1;
    if (this.#contiguous) {
      this.#apply([event]);
      return;
    }
    this.#buffer.push(event);
    if (this.#buffer.length > BUFFER_LIMIT) {
      // The next snapshot must reach beyond what is dropped here.
      this.#begin = this.#buffer.at(-1)?.position ?? this.#begin;
      this.#buffer = [];
    }
  }

  /** An own write was answered: a snapshot asked for from now on contains it. */
  answered(): void {
    this.#answers += 1;
  }

  /** One fetch at a time, after `delay` milliseconds; asking again meanwhile changes nothing but brings it forward. */
  refetch(delay: number): void {
    if (this.#fetching !== null) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (delay <= 0) {
      void this.#fetch();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#fetch();
    }, delay);
  }

  async #fetch(): Promise<void> {
    const controller = new AbortController();
    this.#fetching = controller;
    this.#answersAtFetch = this.#answers;
    let snapshot: Snapshot;
    try {
      snapshot = await this.#options.fetchSnapshot(controller.signal);
    } catch (cause) {
      if (controller.signal.aborted) return;
      this.#fetching = null;
      this.#failures += 1;
      this.#error = cause instanceof ApiError ? cause : new ApiError('unexpected', 'The catalogue could not be read.', { cause });
      const wait = Math.min(RETRY_LONGEST, RETRY_FIRST * 2 ** Math.min(this.#failures - 1, 8));
      this.refetch(Math.max((this.#error.retryAfter ?? 0) * 1_000, wait / 2 + (wait / 2) * this.#options.random()));
      this.#options.stateChanged();
      return;
    }
    if (controller.signal.aborted) return;
    this.#fetching = null;
    this.#failures = 0;
    this.#error = null;
    this.#takeSnapshot(snapshot);
    if (this.#synced && !this.#join()) this.refetch(this.#spread());
    this.#options.stateChanged();
  }

  #takeSnapshot(snapshot: Snapshot): void {
    const { catalogue, changed } = this.#options;
    // A proxy may answer with an older copy than what is shown already. What this device remembers
    // of an earlier visit claims nothing: the log may have been put back since.
    const older = catalogue.loaded && snapshot.position !== null && catalogue.position !== null && catalogue.position.epoch === snapshot.position.epoch
      && catalogue.position.sequence > snapshot.position.sequence;
    if (this.#torn) {
      if (this.#begin !== null && !reaches(snapshot.position, this.#begin)) return;
      this.#torn = false;
    } else if (older) {
      return;
    }
    changed(catalogue.reset(snapshot, this.#answersAtFetch === this.#answers), true);
  }

  /** Closes the gap if the base reaches to where the stream begins: applies what waited, in order, and lets the rest through. */
  #join(): boolean {
    const { catalogue } = this.#options;
    if (!catalogue.loaded || this.#torn) return false;
    if (this.#begin !== null && !reaches(catalogue.position, this.#begin)) return false;
    this.#contiguous = true;
    const waited = this.#buffer;
    this.#buffer = [];
    this.#apply(waited);
    return true;
  }

  #apply(events: readonly CatalogueEvent[]): void {
    const { catalogue, changed } = this.#options;
    const differences: Difference[] = [];
    for (const event of events) {
      const known = catalogue.position;
      if (event.position !== null && known !== null && event.position.epoch !== known.epoch) {
        // Another history began under us; only a snapshot tells where it stands.
        this.#contiguous = false;
        this.#begin = event.position;
        this.refetch(this.#spread());
        break;
      }
      const difference = catalogue.apply(event);
      if (difference !== null) differences.push(difference);
    }
    if (differences.length > 0) changed(differences, this.#replaying);
  }

  /** Whether what is known is of the log that the server goes on with. */
  #continues(position: Position | null): boolean {
    const known = this.#options.catalogue.position;
    return position === null || known === null || known.epoch === position.epoch;
  }

  #spread(): number {
    return this.#first ? 0 : REFETCH_SPREAD * this.#options.random();
  }

  #cancel(): void {
    this.#fetching?.abort();
    this.#fetching = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

import type { OnlineUser, ServerEvents, UserStatus } from '../contract/asyncapi';
import type { DashboardStats } from '../contract/openapi';
import type { Listener, LiveSocket } from './connection';
import { Notifier } from './notifier';

export type { DashboardStats, OnlineUser };

/** The four numbers of the desk at one moment. */
export interface Sample {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly books: number;
  readonly favorites: number;
  readonly lent: number;
  readonly online: number;
}

export interface DashboardState {
  readonly stats: DashboardStats | null;
  readonly online: UserStatus | null;
  /** Oldest first; the last one is now. */
  readonly history: readonly Sample[];
}

const SERIES = ['books', 'favorites', 'lent', 'online'] as const;

/** How far back the desk draws. */
export const HISTORY_SPAN = 10 * 60_000;
const HISTORY_LIMIT = 600;
/** Numbers that change faster than this are drawn as one step. */
const HISTORY_STEP = 1_000;

/** The owner's numbers and who is online: told by the server while at least one view watches. */
export class Dashboard {
  readonly #socket: LiveSocket;
  readonly #countLent: () => number;
  readonly #notifier = new Notifier(100);
  #state: DashboardState = { stats: null, online: null, history: [] };
  #watchers = 0;
  #joined = false;

  constructor(socket: LiveSocket, countLent: () => number) {
    this.#socket = socket;
    this.#countLent = countLent;
  }

  readonly subscribe = this.#notifier.subscribe;
  readonly state = (): DashboardState => this.#state;

  readonly listeners: readonly [string, Listener][] = [
    ['dashboardStats', (...[stats]: Partial<ServerEvents['dashboardStats']>) => this.#takeStats(stats)],
    ['userStatus', (...[status]: Partial<ServerEvents['userStatus']>) => this.#takeOnline(status)],
  ];

  /** Joins the dashboard until the returned function is called; many views may watch at once. */
  watch(): () => void {
    this.#watchers += 1;
    this.#settle();
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      this.#watchers -= 1;
      // A view that is put back at once (StrictMode, a change of page) neither leaves nor joins again.
      queueMicrotask(() => this.#settle());
    };
  }

  /** A new connection has joined nothing yet, a recovered one may have; joining twice counts once. */
  connected(): void {
    this.#joined = false;
    this.#settle();
  }

  disconnected(): void {
    this.#joined = false;
  }

  /** The catalogue changed, and with it perhaps the number of books that are out. */
  catalogueChanged(): void {
    if (this.#watchers > 0 && this.#state.stats !== null) this.#sample();
  }

  stop(): void {
    this.#joined = false;
    this.#notifier.cancel();
  }

  #settle(): void {
    const wanted = this.#watchers > 0;
    if (wanted === this.#joined || !this.#socket.connected) return;
    this.#joined = wanted;
    this.#socket.emit(wanted ? 'ownerJoinDashboard' : 'ownerLeaveDashboard');
  }

  #takeStats(stats: ServerEvents['dashboardStats'][0] | undefined): void {
    if (typeof stats !== 'object') return;
    this.#state = { ...this.#state, stats };
    this.#sample();
  }

  #takeOnline(online: ServerEvents['userStatus'][0] | undefined): void {
    if (typeof online !== 'object') return;
    this.#state = { ...this.#state, online };
    this.#sample();
  }

  #sample(): void {
    const { stats, online, history } = this.#state;
    if (stats !== null) {
      const at = Date.now();
      const sample: Sample = {
        at,
        books: stats.totalBooks,
        favorites: stats.totalFavorites,
        lent: this.#countLent(),
        online: online?.total ?? 0,
      };
      this.#state = { ...this.#state, history: withSample(history, sample) };
    }
    this.#notifier.notify();
  }
}

/** Adds a sample, drops what is older than the span, and lets quick successors replace each other. */
export function withSample(history: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = history.at(-1);
  if (last !== undefined && SERIES.every((name) => last[name] === sample[name])) return history;
  const previous = history.at(-2);
  const replace = last !== undefined && previous !== undefined && sample.at - previous.at < HISTORY_STEP;
  const kept = (replace ? history.slice(0, -1) : history).slice(-HISTORY_LIMIT);
  // One sample older than the span stays: it is where the line comes in.
  const horizon = sample.at - HISTORY_SPAN;
  let start = 0;
  while (start + 1 < kept.length && (kept[start + 1]?.at ?? 0) < horizon) start += 1;
  return [...kept.slice(start), sample];
}

import type { ServerEvents } from '../contract/asyncapi';
import type { Listener, LiveSocket } from './connection';
import { Notifier } from './notifier';

type EventName = keyof ServerEvents;

/** One event as it passed by. */
export interface PassedEvent {
  readonly key: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly event: EventName;
  /** What it is about, in a few words; '' when there is nothing to say. */
  readonly about: string;
  /** Its position in the log; '' for events that have none. */
  readonly position: string;
}

const KEPT = 100;
/** A burst is drawn a few times a second. */
const INTERVAL = 250;

/** What an event is about. */
const SUBJECTS: { readonly [E in EventName]?: (payload: ServerEvents[E][0]) => string } = {
  bookAdded: (book) => book.title,
  bookUpdated: (book) => book.title,
  bookDeleted: (book) => book.title,
  favoriteUpdated: ({ bookId, favoritesCount }) => `book ${bookId}: ${favoritesCount}`,
  synced: ({ recovered, missed }) => (recovered ? `recovered, ${missed} missed` : 'afresh'),
  reconnect: () => 'could not be recovered',
  error: (text) => text,
};

/** The last events of the server that reached this page, while somebody watches. Newest first. */
export class EventLog {
  readonly #socket: LiveSocket;
  readonly #notifier = new Notifier(INTERVAL);
  readonly #listeners: readonly [string, Listener][];
  #entries: readonly PassedEvent[] = [];
  #watchers = 0;
  #next = 1;

  constructor(socket: LiveSocket) {
    this.#socket = socket;
    this.#listeners = Object.entries(SUBJECTS).map(([event, subject]): [string, Listener] => [
      event,
      (payload: unknown, position: unknown) => this.#take(event as EventName, subject as (payload: unknown) => string, payload, position),
    ]);
  }

  readonly subscribe = this.#notifier.subscribe;
  readonly entries = (): readonly PassedEvent[] => this.#entries;

  /** Listens until the returned function is called. */
  watch(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) for (const [event, listener] of this.#listeners) this.#socket.on(event, listener);
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      this.#watchers -= 1;
      if (this.#watchers > 0) return;
      for (const [event, listener] of this.#listeners) this.#socket.off(event, listener);
      this.#notifier.cancel();
    };
  }

  #take(event: EventName, subject: (payload: unknown) => string, payload: unknown, position: unknown): void {
    let about: string;
    try {
      about = subject(payload);
    } catch {
      return; // not what the contract says; the catalogue has its own way with that
    }
    const entry: PassedEvent = { key: this.#next++, at: Date.now(), event, about, position: typeof position === 'string' ? position : '' };
    this.#entries = [entry, ...this.#entries].slice(0, KEPT);
    this.#notifier.notify();
  }
}

import { reconnectDelay, type Listener, type LiveSocket } from './connection';

export type LinkState =
  | { readonly status: 'stopped' }
  | { readonly status: 'connecting'; readonly attempt: number }
  | { readonly status: 'connected' }
  | { readonly status: 'waiting'; readonly attempt: number; readonly nextTry: number };

export interface LinkEvents {
  /** The socket is connected; `recovered` as the official client tells it. Called before any event of that connection. */
  connected(recovered: boolean): void;
  changed(): void;
}

/**
 * Keeps the socket connected. The official client's own reconnection is off: it tells nobody when
 * it will try next, and treats a hidden tab like a watched one. Signs from the browser (tab shown,
 * network back) are never believed, they only bring the next try forward.
 */
export class Link {
  readonly #socket: LiveSocket;
  readonly #events: LinkEvents;
  readonly #random: () => number;
  #state: LinkState = { status: 'stopped' };
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(socket: LiveSocket, events: LinkEvents, random: () => number) {
    this.#socket = socket;
    this.#events = events;
    this.#random = random;
  }

  get state(): LinkState {
    return this.#state;
  }

  get connected(): boolean {
    return this.#state.status === 'connected';
  }

  start(): void {
    if (this.#state.status !== 'stopped') return;
    for (const [event, listener] of this.#socketListeners) this.#socket.on(event, listener);
    document.addEventListener('visibilitychange', this.#hint);
    window.addEventListener('online', this.#hint);
    window.addEventListener('offline', this.#lost);
    this.#attempt = 0;
    this.#connect();
  }

  stop(): void {
    if (this.#state.status === 'stopped') return;
    this.#clearTimer();
    for (const [event, listener] of this.#socketListeners) this.#socket.off(event, listener);
    document.removeEventListener('visibilitychange', this.#hint);
    window.removeEventListener('online', this.#hint);
    window.removeEventListener('offline', this.#lost);
    this.#state = { status: 'stopped' };
    this.#socket.disconnect();
  }

  /** Tries at once instead of at the planned time. */
  readonly retryNow = (): void => {
    if (this.#state.status !== 'waiting') return;
    this.#clearTimer();
    this.#connect();
  };

  readonly #hint = (): void => {
    if (document.visibilityState === 'visible') this.retryNow();
  };

  /** The network went: the socket would find out in half a minute. A new try costs little, should it not be true. */
  readonly #lost = (): void => {
    if (this.#state.status !== 'connected') return;
    this.#socket.disconnect();
    // The client's own `disconnect` event has come by now, if it sends one.
    if (this.connected) this.#wait();
  };

  readonly #socketListeners: readonly [string, Listener][] = [
    [
      'connect',
      () => {
        this.#attempt = 0;
        this.#clearTimer();
        this.#set({ status: 'connected' });
        this.#events.connected(this.#socket.recovered);
      },
    ],
    ['disconnect', () => this.#wait()],
    ['connect_error', () => this.#wait()],
  ];

  #connect(): void {
    this.#set({ status: 'connecting', attempt: this.#attempt });
    this.#socket.connect();
  }

  #wait(): void {
    if (this.#state.status === 'stopped') return;
    this.#clearTimer();
    this.#attempt += 1;
    const delay = reconnectDelay(this.#attempt, document.visibilityState === 'hidden', this.#random);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#connect();
    }, delay);
    this.#set({ status: 'waiting', attempt: this.#attempt, nextTry: Date.now() + delay });
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #set(state: LinkState): void {
    this.#state = state;
    this.#events.changed();
  }
}

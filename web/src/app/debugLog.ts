import { Notifier } from '../sync';

export interface DebugEntry {
  readonly key: number;
  readonly at: number;
  readonly direction: 'in' | 'out';
  readonly event: string;
  readonly args: readonly unknown[];
}

interface Wire {
  onAny(listener: (event: string, ...args: unknown[]) => void): unknown;
  onAnyOutgoing(listener: (event: string, ...args: unknown[]) => void): unknown;
  on(event: 'connect' | 'disconnect', listener: (reason?: string) => void): unknown;
}

const KEPT = 100;

/** Every event of the socket, in the console and for the drawer; made only when the address says `?debug`. */
export class DebugLog {
  readonly #notifier = new Notifier(100);
  #entries: readonly DebugEntry[] = [];
  #next = 1;

  constructor(wire: Wire) {
    wire.onAny((event, ...args) => this.#note('in', event, args));
    wire.onAnyOutgoing((event, ...args) => this.#note('out', event, args));
    wire.on('connect', () => this.#note('in', 'connect', []));
    wire.on('disconnect', (reason) => this.#note('in', 'disconnect', [reason]));
  }

  readonly subscribe = this.#notifier.subscribe;
  /** Newest first. */
  readonly entries = (): readonly DebugEntry[] => this.#entries;

  #note(direction: DebugEntry['direction'], event: string, args: readonly unknown[]): void {
    // The console is what ?debug is for.
    // eslint-disable-next-line no-console
    console.log(`[shelfcast] ${direction === 'out' ? '→ ' : ''}${event}`, ...args);
    this.#entries = [{ key: this.#next++, at: Date.now(), direction, event, args }, ...this.#entries].slice(0, KEPT);
    this.#notifier.notify();
  }
}

import type { Timing } from '../contract/openapi';

/** How long it took from one's action until this screen showed the server's event about it. */
export type TimingSample = Timing;

/** As many as the contract takes at once; what comes beyond them meanwhile is not kept. */
const LIMIT = 50;
/** A first sample is not held longer than this, in milliseconds, jitter of half of it left out. */
const EVERY = 8_000;
/** The contract believes nothing longer. */
const LONGEST = 600_000;

export interface ScreenTimingsOptions {
  /** Calls back when the views are told of a change; returns how to stop that. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly report: (samples: readonly TimingSample[]) => Promise<void>;
  readonly random: () => number;
}

/**
 * Measures what the handbook calls the time from action to screen, on one clock: from the moment
 * when this person's change goes out until the event that the server sends to everybody has been
 * painted here. Samples go to the server together, and when the page is left. A report that fails
 * is dropped: this is a measurement, not data.
 */
export class ScreenTimings {
  readonly #options: ScreenTimingsOptions;
  #samples: TimingSample[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;
  #painted: Promise<number> | null = null;
  /** When the page was last not to be seen: nothing is painted then. On the clock of performance.now(). */
  #hiddenAt = Number.NEGATIVE_INFINITY;

  constructor(options: ScreenTimingsOptions) {
    this.#options = options;
  }

  start(): void {
    document.addEventListener('visibilitychange', this.#visibility);
    window.addEventListener('pagehide', this.#flush);
    this.#visibility();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.#visibility);
    window.removeEventListener('pagehide', this.#flush);
    this.#flush();
  }

  /** When the next change that the views are told of will have been painted, on the clock of performance.now(). */
  nextPaint(): Promise<number> {
    this.#painted ??= new Promise((resolve) => {
      const stop = this.#options.subscribe(() => {
        stop();
        this.#painted = null;
        // A frame's callbacks come before it is painted, a task of its own after.
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())));
      });
    });
    return this.#painted;
  }

  /** Takes a sample. `since` and `until` are on the clock of performance.now(). */
  note(event: string, since: number, until: number): void {
    const milliseconds = until - since;
    if (since <= this.#hiddenAt || document.visibilityState === 'hidden' || milliseconds < 0 || milliseconds > LONGEST) return;
    if (this.#samples.length >= LIMIT) return;
    this.#samples.push({ event, milliseconds: Math.round(milliseconds * 10) / 10 });
    this.#timer ??= setTimeout(this.#flush, EVERY / 2 + (EVERY / 2) * this.#options.random());
  }

  readonly #visibility = (): void => {
    if (document.visibilityState !== 'hidden') return;
    this.#hiddenAt = performance.now();
    this.#flush();
  };

  readonly #flush = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#samples.length === 0) return;
    const samples = this.#samples;
    this.#samples = [];
    this.#options.report(samples).catch(() => undefined);
  };
}

import type { KeptSnapshot, SnapshotStore } from './snapshotStore';

/** What happens in a quick series is kept together; the first time sooner, as many visits are short. */
const FIRST_SAVE = 500;
const SAVE_EVERY = 5_000;

export interface LastKnownOptions {
  readonly store: SnapshotStore;
  /** What to keep now; null while there is nothing of the server's. */
  readonly now: () => KeptSnapshot | null;
  /** There is something that was kept on an earlier visit. */
  readonly found: (kept: KeptSnapshot) => void;
}

/**
 * Keeps the last known catalogue on this device, for the visit that begins without a connection. It
 * saves a while after a change, and at once when the page is hidden or left.
 */
export class LastKnown {
  readonly #options: LastKnownOptions;
  #running = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #delay = FIRST_SAVE;

  constructor(options: LastKnownOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    document.addEventListener('visibilitychange', this.#hidden);
    window.addEventListener('pagehide', this.saveNow);
    void this.#options.store.load().then((kept) => {
      if (kept !== null && this.#running) this.#options.found(kept);
    });
  }

  stop(): void {
    this.saveNow();
    this.#running = false;
    document.removeEventListener('visibilitychange', this.#hidden);
    window.removeEventListener('pagehide', this.saveNow);
  }

  /** There is something new to keep. */
  touch(): void {
    if (!this.#running) return;
    this.#timer ??= setTimeout(this.saveNow, this.#delay);
  }

  readonly saveNow = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const snapshot = this.#options.now();
    if (snapshot === null) return;
    this.#delay = SAVE_EVERY;
    void this.#options.store.save(snapshot);
  };

  readonly #hidden = (): void => {
    if (document.visibilityState === 'hidden') this.saveNow();
  };
}

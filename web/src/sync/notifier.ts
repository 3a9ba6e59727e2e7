/** Listeners of one slice of state. A burst of changes wakes them at most once per `interval` milliseconds. */
export class Notifier {
  readonly #listeners = new Set<() => void>();
  readonly #interval: number;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #last = Number.NEGATIVE_INFINITY;

  constructor(interval = 0) {
    this.#interval = interval;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** An arrow, so that it can be handed to useSyncExternalStore as it is. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** The first change after a pause is told at once, those that follow it together. */
  notify(): void {
    if (this.#timer !== null) return;
    const wait = this.#last + this.#interval - performance.now();
    if (this.#interval === 0 || wait <= 0) {
      this.#wake();
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#wake();
    }, wait);
  }

  /** Tells at once, together with what was still to be told: for a person's own doing. */
  notifyNow(): void {
    this.cancel();
    this.#wake();
  }

  /** Drops what is still to be told; for the end of a session. */
  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wake(): void {
    this.#last = performance.now();
    for (const listener of [...this.#listeners]) listener();
  }
}

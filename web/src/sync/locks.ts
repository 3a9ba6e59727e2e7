/** Lets one tab at a time do something. */
export interface Locks {
  /** Runs `work` while no other tab holds `name`. Waiting ends, without work, when `signal` aborts. */
  hold(name: string, signal: AbortSignal, work: () => Promise<void>): Promise<void>;
}

/**
 * The Web Locks of the browser. They exist on secure pages only; without them tabs may send the
 * same change at the same time, and its Idempotency-Key alone sees to it that it counts once.
 */
export const webLocks: Locks = {
  async hold(name, signal, work) {
    const manager = (navigator as { locks?: LockManager }).locks;
    if (manager === undefined) {
      await work();
      return;
    }
    const turn = { begun: false };
    try {
      await manager.request(name, { signal }, () => {
        turn.begun = true;
        return work();
      });
    } catch (error) {
      if (signal.aborted) return;
      if (turn.begun) throw error;
      // A browser that grants no locks here: as if it had none.
      await work();
    }
  },
};

import type { Api } from '../api';
import type { Locks } from '../locks';
import { inOrder, type OutboxStore, type StoreListener } from '../outboxStore';
import type { Entry } from '../pending';

/** What the tabs of one browser share: a storage, whose news reach the other tabs a little later, and locks. */
export class FakeBrowser {
  readonly kept = new Map<string, string>();
  readonly tabs = new Set<FakeTab>();
  readonly queues = new Map<string, Promise<void>>();
  /** The storage takes nothing more. */
  full = false;
  readonly #delay: () => number;
  /** When the last news arrives: none overtakes another. */
  #last = 0;

  constructor(delay: () => number = () => 1) {
    this.#delay = delay;
  }

  open(): FakeTab {
    const tab = new FakeTab(this);
    this.tabs.add(tab);
    return tab;
  }

  tell(from: FakeTab, key: string, text: string | null): void {
    this.#last = Math.max(this.#last, Date.now() + this.#delay());
    setTimeout(() => {
      for (const tab of this.tabs) if (tab !== from) tab.listener?.(key, text === null ? null : (JSON.parse(text) as Entry));
    }, this.#last - Date.now());
  }
}

/** One tab. It may die at any moment: then nothing of what it was about to do happens any more, and its locks are free. */
export class FakeTab {
  listener: StoreListener | null = null;
  readonly store: OutboxStore;
  readonly locks: Locks;
  readonly #browser: FakeBrowser;
  #dead = false;
  #die = (): void => undefined;
  readonly #death = new Promise<void>((resolve) => (this.#die = resolve));

  constructor(browser: FakeBrowser) {
    this.#browser = browser;
    this.store = {
      load: () => [...browser.kept.values()].map((text) => JSON.parse(text) as Entry).sort(inOrder),
      get: (key) => {
        const text = browser.kept.get(key);
        return text === undefined ? null : (JSON.parse(text) as Entry);
      },
      save: (entry) => {
        if (browser.full || this.#dead) return false;
        const text = JSON.stringify(entry);
        browser.kept.set(entry.key, text);
        browser.tell(this, entry.key, text);
        return true;
      },
      remove: (key) => {
        if (!this.#dead && browser.kept.delete(key)) browser.tell(this, key, null);
      },
      subscribe: (listener) => {
        this.listener = listener;
        return () => (this.listener = null);
      },
    };
    this.locks = {
      hold: async (name, signal, work) => {
        const before = browser.queues.get(name) ?? Promise.resolve();
        const turn = before.then(async () => {
          if (!signal.aborted && !this.#dead) await Promise.race([work(), this.#death]);
        });
        browser.queues.set(name, turn.catch(() => undefined));
        await turn;
      },
    };
  }

  /** The same calls; their answers do not reach a tab that is dead by then. */
  api(api: Api): Api {
    const alive = async <T>(answer: Promise<T>): Promise<T> => {
      const settled = await Promise.allSettled([answer]);
      if (this.#dead) return new Promise(() => undefined);
      const [result] = settled;
      if (result.status === 'rejected') throw result.reason;
      return result.value;
    };
    return {
      snapshot: (signal) => alive(api.snapshot(signal)),
      book: (id) => alive(api.book(id)),
      add: (...args) => alive(api.add(...args)),
      change: (...args) => alive(api.change(...args)),
      remove: (...args) => alive(api.remove(...args)),
      setFavorite: (...args) => alive(api.setFavorite(...args)),
      loadSamples: () => alive(api.loadSamples()),
      reportTimings: (samples) => alive(api.reportTimings(samples)),
    };
  }

  die(): void {
    this.#dead = true;
    this.listener = null;
    this.#browser.tabs.delete(this);
    this.#die();
  }
}

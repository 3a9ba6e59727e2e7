import type { Entry } from './pending';

/** Tells what another tab did to an entry; null: it is gone. */
export type StoreListener = (key: string, entry: Entry | null) => void;

/** Where waiting changes outlive the page. One person's, shared by all tabs of the browser. */
export interface OutboxStore {
  /** All entries, in the order in which they were made. */
  load(): Entry[];
  /** One entry as it is now; null when there is none. */
  get(key: string): Entry | null;
  /** Keeps the entry before it returns. False when it could not be kept: then it lives as long as the page. */
  save(entry: Entry): boolean;
  remove(key: string): void;
  subscribe(listener: StoreListener): () => void;
}

/**
 * Entries in localStorage, one item each, so that tabs never overwrite each other's. It was chosen
 * over IndexedDB because it writes before it returns: what a person did is kept before they see it
 * done, even when the page is closed in the same moment. The outbox is small and bounded, so its
 * limits (some megabytes of text, read at once) do not matter here.
 */
export class LocalOutboxStore implements OutboxStore {
  readonly #storage: Storage | null;
  readonly #prefix: string;

  /** `userId` keeps people who share a browser apart. */
  constructor(userId: string, storage: () => Storage = () => localStorage) {
    // An encoded id holds no colon, so no id is the beginning of another.
    this.#prefix = `shelfcast.outbox:${encodeURIComponent(userId)}:`;
    try {
      this.#storage = storage();
    } catch {
      this.#storage = null;
    }
  }

  load(): Entry[] {
    const entries: Entry[] = [];
    for (const name of this.#names()) {
      const entry = parseEntry(this.#storage?.getItem(name) ?? null);
      if (entry !== null) entries.push(entry);
    }
    return entries.sort(inOrder);
  }

  get(key: string): Entry | null {
    return parseEntry(this.#storage?.getItem(this.#prefix + key) ?? null);
  }

  save(entry: Entry): boolean {
    if (this.#storage === null) return false;
    try {
      this.#storage.setItem(this.#prefix + entry.key, JSON.stringify(entry));
      return true;
    } catch {
      return false;
    }
  }

  remove(key: string): void {
    this.#storage?.removeItem(this.#prefix + key);
  }

  subscribe(listener: StoreListener): () => void {
    const heard = (event: StorageEvent) => {
      if (event.storageArea !== this.#storage || !event.key?.startsWith(this.#prefix)) return;
      const entry = parseEntry(event.newValue);
      if (entry !== null || event.newValue === null) listener(event.key.slice(this.#prefix.length), entry);
    };
    window.addEventListener('storage', heard);
    return () => window.removeEventListener('storage', heard);
  }

  #names(): string[] {
    const names: string[] = [];
    if (this.#storage === null) return names;
    for (let index = 0; index < this.#storage.length; index += 1) {
      const name = this.#storage.key(index);
      if (name?.startsWith(this.#prefix)) names.push(name);
    }
    return names;
  }
}

export function inOrder(a: Entry, b: Entry): number {
  return a.order - b.order || (a.key < b.key ? -1 : 1);
}

/** Null for anything that this version of the app did not write. */
function parseEntry(text: string | null): Entry | null {
  if (text === null) return null;
  try {
    const entry = JSON.parse(text) as Partial<Entry> | null;
    const whole = typeof entry?.key === 'string' && typeof entry.order === 'number' && typeof entry.write?.bookId === 'number';
    return whole ? (entry as Entry) : null;
  } catch {
    return null;
  }
}

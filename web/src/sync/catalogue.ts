import type { Book } from './book';
import { isTemporary, mayBeAnswerTo, overlay, type Entry } from './pending';
import { reaches, type Position } from './position';

/** One change as the server tells it. */
export type CatalogueEvent =
  | { readonly type: 'bookAdded' | 'bookUpdated' | 'bookDeleted'; readonly book: Book; readonly position: Position | null }
  | { readonly type: 'favoriteUpdated'; readonly bookId: number; readonly favoritesCount: number; readonly position: Position | null };

/** The whole catalogue at one position. */
export interface Snapshot {
  readonly books: readonly Book[];
  readonly position: Position | null;
}

export type ChangeKind = 'add' | 'change' | 'remove' | 'favorite';

/** What an event or a snapshot did to one book of the base; answers that were shown before do not count. */
export interface Difference {
  readonly kind: ChangeKind;
  readonly bookId: number;
  readonly before: Book | null;
  readonly after: Book | null;
  readonly position: Position | null;
}

const KINDS: Readonly<Record<CatalogueEvent['type'], ChangeKind>> = {
  bookAdded: 'add',
  bookUpdated: 'change',
  bookDeleted: 'remove',
  favoriteUpdated: 'favorite',
};

interface AnsweredFavorite {
  readonly favorite: boolean;
  readonly count: number;
  /** The sequence of the favourite, when the server told it. */
  readonly sequence: number | null;
}

interface AnsweredWrite {
  /** Null for a deletion. */
  readonly book: Book | null;
  readonly sequence: number | null;
}

/**
 * The catalogue in three layers: what the server's ordered stream says (the base); the answers to
 * this person's own writes that the stream has not reached yet; and on top, what the server has not
 * answered. An answer may come before or after its event; either way the book is shown once, and
 * the stream has the last word. A layer never touches the one below: taking a waiting change away
 * is all that there is to rolling it back.
 */
export class Catalogue {
  #base = new Map<number, Book>();
  #position: Position | null = null;
  #loaded = false;
  #recalled = false;
  readonly #writes = new Map<number, AnsweredWrite>();
  readonly #favorites = new Map<number, AnsweredFavorite>();
  #view: readonly Book[] | null = null;
  /** Waiting changes by the book that they are about, oldest first. */
  readonly #pending = new Map<number, Entry[]>();
  #waitingShown = false;
  /** Books which may be the server's of an add that is not answered: what stands for them is the add. */
  #twins: ReadonlySet<number> = new Set();
  /** This device's ids and the server's for the same book, both ways. */
  readonly #idOf = new Map<number, number>();
  readonly #firstIdOf = new Map<number, number>();

  get position(): Position | null {
    return this.#position;
  }

  /** Whether a snapshot of the server's has ever been taken in. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /** Whether what is shown is only what this device remembers of an earlier visit. */
  get recalled(): boolean {
    return this.#recalled;
  }

  /** What the server is known to hold, answers to own writes included, to be remembered. */
  get known(): Snapshot {
    const ids = new Set([...this.#base.keys(), ...this.#writes.keys()]);
    const books = [...ids].map((id) => this.#answered(id)).filter((book) => book !== null);
    return { books, position: this.#position };
  }

  /** Shows what this device remembers, until the first snapshot of the server's replaces it. */
  recall(snapshot: Snapshot): void {
    if (this.#loaded) return;
    this.#base = new Map(snapshot.books.map((book) => [book.id, book]));
    this.#position = snapshot.position;
    this.#recalled = true;
    this.#view = null;
  }

  /** The same array until something changes. In no particular order. */
  get books(): readonly Book[] {
    if (this.#view === null) {
      const view: Book[] = [];
      this.#twins = this.#findTwins();
      const show = (id: number) => {
        const book = this.#twins.has(id) ? null : this.get(id);
        if (book !== null) view.push(book);
      };
      for (const id of this.#base.keys()) show(id);
      for (const id of this.#writes.keys()) if (!this.#base.has(id)) show(id);
      for (const id of this.#pending.keys()) if (isTemporary(id)) show(id);
      this.#view = view;
    }
    return this.#view;
  }

  /** A book as it is shown. A book that was added here is also found by the id that it had before the server knew it. */
  get(id: number): Book | null {
    const real = this.#idOf.get(id) ?? id;
    const pending = this.#pending.get(real);
    let book = this.#answered(real);
    if (pending === undefined) return book;
    for (const entry of pending) book = overlay(book, entry);
    return book !== null && this.#waitingShown ? { ...book, waiting: true } : book;
  }

  /** A name for the book that stays the same when the server gives it its id. */
  keyOf(id: number): number {
    return this.#firstIdOf.get(id) ?? id;
  }

  /** Lays these over the rest, in order. `shown`: books say that they wait. */
  setPending(entries: readonly Entry[], shown: boolean): void {
    this.#pending.clear();
    for (const entry of entries) {
      const id = this.#idOf.get(entry.write.bookId) ?? entry.write.bookId;
      const others = this.#pending.get(id);
      if (others) others.push(entry);
      else this.#pending.set(id, [entry]);
    }
    this.#waitingShown = shown;
    this.#view = null;
  }

  /** A book of this device's now has the server's id. */
  name(temporary: number, real: number): void {
    this.#idOf.set(temporary, real);
    this.#firstIdOf.set(real, temporary);
    this.#view = null;
  }

  /** Everything up to here is in, though nothing was told of it. */
  reached(position: Position | null): void {
    if (position === null || this.#position?.epoch !== position.epoch) return;
    if (position.sequence > this.#position.sequence) this.#position = position;
  }

  #findTwins(): ReadonlySet<number> {
    const twins = new Set<number>();
    for (const [id, [entry]] of this.#pending) {
      if (!isTemporary(id) || entry === undefined) continue;
      for (const book of this.#base.values()) {
        if (twins.has(book.id) || this.#firstIdOf.has(book.id) || !mayBeAnswerTo(entry, book)) continue;
        twins.add(book.id);
        break;
      }
    }
    return twins;
  }

  /** The book without what is still unanswered: what the server knows, as far as this client has heard. */
  #answered(id: number): Book | null {
    const base = this.#base.get(id) ?? null;
    const write = this.#writes.get(id);
    if (write?.book === null) return null;
    const favorite = this.#favorites.get(id);
    // Without an overlay the object stays the same one, so that what shows it need not be drawn again.
    if (!write && !favorite) return base;
    const book = write?.book ?? base;
    if (book === null) return null;
    return {
      ...book,
      favoritesCount: favorite?.count ?? base?.favoritesCount ?? book.favoritesCount,
      favorite: favorite?.favorite ?? base?.favorite ?? book.favorite,
    };
  }

  /**
   * Takes one event of the stream. Null when the catalogue has it already. The caller sees to it
   * that events of another epoch, or after a gap, do not get here.
   */
  apply(event: CatalogueEvent): Difference | null {
    if (event.position !== null && reaches(this.#position, event.position)) return null;
    const id = event.type === 'favoriteUpdated' ? event.bookId : event.book.id;
    const before = this.#base.get(id) ?? (event.type === 'bookDeleted' ? event.book : null);
    this.#advance(event.position);
    if (event.type === 'favoriteUpdated') {
      this.#applyFavorite(event);
    } else {
      this.#applyBook(event);
    }
    this.#view = null;
    return { kind: KINDS[event.type], bookId: id, before, after: this.#base.get(id) ?? null, position: event.position };
  }

  /**
   * Replaces the base. `overtaken` says that the snapshot was asked for after the last answer, so
   * it contains all of them. Answers which it contains are let go.
   */
  reset(snapshot: Snapshot, overtaken: boolean): Difference[] {
    const previous = this.#base;
    const wasShown = this.#loaded || this.#recalled;
    this.#base = new Map(snapshot.books.map((book) => [book.id, book]));
    const sameLog = snapshot.position === null || this.#position === null || snapshot.position.epoch === this.#position.epoch;
    this.#position = snapshot.position;
    this.#loaded = true;
    this.#recalled = false;
    const contains = (sequence: number | null) =>
      overtaken || !sameLog || (sequence !== null && snapshot.position !== null && sequence <= snapshot.position.sequence);
    for (const [id, write] of this.#writes) {
      if (contains(write.sequence) || (write.book === null && !this.#base.has(id))) this.#writes.delete(id);
    }
    for (const [id, favorite] of this.#favorites) {
      if (contains(favorite.sequence) || !this.#base.has(id)) this.#favorites.delete(id);
    }
    this.#view = null;
    return wasShown ? this.#differences(previous) : [];
  }

  /** The answer to this person's own add or change. */
  answerWrite(book: Book): void {
    if (this.#has(book.version)) return;
    const known = this.#writes.get(book.id);
    if (known?.book && known.book.version > book.version) return;
    this.#writes.set(book.id, { book, sequence: book.version });
    this.#view = null;
  }

  /** The answer to this person's own deletion. */
  answerDelete(id: number, position: Position | null): void {
    if (position !== null && this.#has(position.sequence)) return;
    this.#writes.delete(id);
    if (this.#base.has(id)) this.#writes.set(id, { book: null, sequence: position?.sequence ?? null });
    this.#view = null;
  }

  /** The answer to this person's own favourite. */
  answerFavorite(id: number, favorite: boolean, count: number, position: Position | null): void {
    const base = this.#base.get(id);
    this.#view = null;
    if (base && (position === null ? base.favoritesCount === count : this.#has(position.sequence))) {
      // The stream was quicker; it tells counts only, so who it was is still to be noted.
      this.#favorites.delete(id);
      this.#base.set(id, { ...base, favorite });
      return;
    }
    this.#favorites.set(id, { favorite, count, sequence: position?.sequence ?? null });
  }

  #has(sequence: number): boolean {
    return this.#position !== null && sequence > 0 && sequence <= this.#position.sequence;
  }

  #advance(position: Position | null): void {
    if (position !== null) this.#position = position;
  }

  #applyBook(event: Extract<CatalogueEvent, { book: Book }>): void {
    const { book, position } = event;
    const write = this.#writes.get(book.id);
    if (event.type === 'bookDeleted') {
      this.#base.delete(book.id);
      this.#favorites.delete(book.id);
      // An answer later than this deletion can only be a book that was put back.
      if (!write?.sequence || position === null || write.sequence <= position.sequence) this.#writes.delete(book.id);
      return;
    }
    const favorite = this.#favorites.get(book.id);
    this.#base.set(book.id, book);
    if (favorite?.sequence != null && position !== null && favorite.sequence <= position.sequence) {
      this.#favorites.delete(book.id);
    }
    if (!write) return;
    const reached = write.sequence === null ? event.type === 'bookAdded' : write.sequence <= Math.max(book.version, position?.sequence ?? 0);
    if (reached) this.#writes.delete(book.id);
  }

  #applyFavorite(event: Extract<CatalogueEvent, { bookId: number }>): void {
    const base = this.#base.get(event.bookId);
    if (!base) return;
    const answered = this.#favorites.get(event.bookId);
    const reached =
      answered !== undefined &&
      (answered.sequence === null || event.position === null || answered.sequence <= event.position.sequence);
    if (reached) this.#favorites.delete(event.bookId);
    this.#base.set(event.bookId, {
      ...base,
      favoritesCount: event.favoritesCount,
      favorite: reached ? answered.favorite : base.favorite,
    });
  }

  #differences(previous: ReadonlyMap<number, Book>): Difference[] {
    const found: Difference[] = [];
    const position = this.#position;
    for (const [bookId, after] of this.#base) {
      const before = previous.get(bookId) ?? null;
      if (before === null) {
        found.push({ kind: 'add', bookId, before, after, position });
      } else if (before.version !== after.version) {
        found.push({ kind: 'change', bookId, before, after, position });
      } else if (before.favoritesCount !== after.favoritesCount) {
        found.push({ kind: 'favorite', bookId, before, after, position });
      }
    }
    for (const [bookId, before] of previous) {
      if (!this.#base.has(bookId)) found.push({ kind: 'remove', bookId, before, after: null, position });
    }
    return found;
  }
}

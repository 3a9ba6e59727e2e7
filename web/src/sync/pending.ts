import type { ApiErrorKind } from './rest';
import type { Book, BookPatch, Draft } from './book';
import type { Position } from './position';

/** What a person looked at when they decided on an edit. */
export interface Seen {
  /** The version of the log; null where there is none to compare with (a book that is itself still waiting). */
  readonly version: Position | null;
  /** The key of the person's own waiting edit that was shown over it; null when there was none. */
  readonly after: string | null;
}

/** A change as a person made it. A book that is still waiting to be added has a negative id of this device's. */
export type Write =
  | { readonly kind: 'add'; readonly bookId: number; readonly draft: Draft }
  | { readonly kind: 'change'; readonly bookId: number; readonly patch: BookPatch; readonly seen: Seen }
  | { readonly kind: 'remove'; readonly bookId: number; readonly seen: Seen }
  | { readonly kind: 'favorite'; readonly bookId: number; readonly favorite: boolean };

/** Why a change was not taken. */
export interface Refusal {
  readonly kind: ApiErrorKind;
  /** A sentence to show. */
  readonly message: string;
}

/** What the server said to a write that it took. */
export interface WriteAnswer {
  readonly position: Position | null;
  /** The book after an add or a change; null after a deletion or a favourite. */
  readonly book: Book | null;
  /** The count after a favourite. */
  readonly count: number | null;
  /** It was so already, by somebody else's doing or an earlier try: no event of this write will come. */
  readonly already?: boolean;
}

/** One change on its way to the server, as it is kept on this device. */
export interface Entry {
  /** Also the Idempotency-Key, made when the person acted: however often it is sent, it counts once. */
  readonly key: string;
  /** Rising; entries are sent in this order. */
  readonly order: number;
  /** Epoch milliseconds at which the person acted. */
  readonly madeAt: number;
  /** The tab in which they did. */
  readonly madeBy: string;
  /** Where the catalogue stood then. */
  readonly at: Position | null;
  /** The book that it is about, as the person saw it; null for one that is added. */
  readonly book: Book | null;
  readonly write: Write;
  readonly status: 'waiting' | 'refused' | 'done';
  /** Epoch milliseconds of the first try; from then on the server may have it. Null before. */
  readonly sentAt: number | null;
  /** Tries that failed although there was a connection. */
  readonly tries: number;
  readonly refusal: Refusal | null;
  /** With `done`, for the other tabs. */
  readonly answer: WriteAnswer | null;
}

/** The books' own ids are positive; an id of this device's is not. */
export function isTemporary(bookId: number): boolean {
  return bookId < 0;
}

/** An id for a book that the server does not know yet, unlike any other. */
export function temporaryId(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  // 52 bits: every such number is exact.
  return -1 - (high % 2 ** 20) * 2 ** 32 - low;
}

/** The book that an add will become, as far as this device can tell. */
export function draftedBook(entry: Entry, draft: Draft): Book {
  const at = new Date(entry.madeAt).toISOString();
  return { id: entry.write.bookId, ...draft, createdAt: at, updatedAt: at, version: 0, favoritesCount: 0, favorite: false };
}

/** One waiting change laid over a book; null where there is no book, or none any more. */
export function overlay(book: Book | null, entry: Entry): Book | null {
  const { write } = entry;
  switch (write.kind) {
    case 'add':
      return { ...draftedBook(entry, write.draft), edit: entry.key };
    case 'change':
      return book && { ...book, ...write.patch, edit: entry.key };
    case 'remove':
      return null;
    case 'favorite':
      return book && {
        ...book,
        favorite: write.favorite,
        favoritesCount: book.favoritesCount + (write.favorite === book.favorite ? 0 : write.favorite ? 1 : -1),
      };
  }
}

/** Whether `book` may be what the server made of an add whose answer has not come; another tab may have sent it. */
export function mayBeAnswerTo(entry: Entry, book: Book): boolean {
  const { write, at } = entry;
  if (write.kind !== 'add') return false;
  const { draft } = write;
  return (
    book.version > (at?.sequence ?? 0) &&
    book.title === draft.title &&
    book.author === draft.author &&
    book.readerName === draft.readerName &&
    sameMoment(book.returnDateTime, draft.returnDateTime)
  );
}

export function sameMoment(a: string | null, b: string | null): boolean {
  return a === b || (a !== null && b !== null && Date.parse(a) === Date.parse(b));
}

/** Whether the book is already as the patch would make it. */
export function fulfils(book: Book, patch: BookPatch): boolean {
  return (
    (patch.title === undefined || patch.title === book.title) &&
    (patch.author === undefined || patch.author === book.author) &&
    (patch.readerName === undefined || patch.readerName === book.readerName) &&
    (patch.returnDateTime === undefined || sameMoment(patch.returnDateTime, book.returnDateTime))
  );
}

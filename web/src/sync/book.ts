/** A book as the app keeps it: the server's fields, with the list of favourites boiled down to what is shown. */
export interface Book {
  readonly id: number;
  readonly title: string;
  readonly author: string;
  /** RFC 3339 in UTC. */
  readonly returnDateTime: string | null;
  readonly readerName: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Log sequence of the last change; favourites do not touch it. */
  readonly version: number;
  readonly favoritesCount: number;
  /** Whether this person is among the favourites. */
  readonly favorite: boolean;
  /** The key of this person's newest change to it that the server has not taken yet; absent when there is none. */
  readonly edit?: string;
  /** Something that this person did to it has been waiting for a while to go out. */
  readonly waiting?: boolean;
}

/** What a person types; the server trims and checks it again. */
export interface Draft {
  readonly title: string;
  readonly author: string;
  readonly readerName: string | null;
  readonly returnDateTime: string | null;
}

export type BookPatch = Partial<Draft>;

/** Limits of the contract, in Unicode code points. */
export const TITLE_LIMIT = 255;
export const READER_LIMIT = 100;

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Reads a book off the wire. Null when it lacks what a book cannot do without. */
export function parseBook(value: unknown, userId: string): Book | null {
  if (typeof value !== 'object' || value === null) return null;
  const wire = value as Record<string, unknown>;
  const { id, title, author } = wire;
  if (typeof id !== 'number' || typeof title !== 'string' || typeof author !== 'string') return null;
  const favorites: unknown[] = Array.isArray(wire.favorites) ? wire.favorites : [];
  const createdAt = text(wire.createdAt) ?? new Date(id).toISOString();
  return {
    id,
    title,
    author,
    returnDateTime: text(wire.returnDateTime),
    readerName: text(wire.readerName),
    createdAt,
    updatedAt: text(wire.updatedAt) ?? createdAt,
    version: typeof wire.version === 'number' ? wire.version : 0,
    favoritesCount: favorites.length,
    favorite: favorites.includes(userId),
  };
}

export type LoanStatus = 'available' | 'lent' | 'overdue';

/** A book is out when somebody has it or it is due back; overdue from the very instant that it was due. */
export function loanStatus(book: Book, now: number): LoanStatus {
  if (book.readerName === null && book.returnDateTime === null) return 'available';
  if (book.returnDateTime !== null && Date.parse(book.returnDateTime) <= now) return 'overdue';
  return 'lent';
}

import { useMemo, useState } from 'react';
import type { Book } from '../../sync';

export interface HeldOrder {
  /** What to show, in order: current data, or the last known for a book that has gone meanwhile. */
  readonly books: readonly Book[];
  /** Ids in `books` that are not in the catalogue any more. */
  readonly removed: ReadonlySet<number>;
  /** Matching books that wait outside of the held order. */
  readonly waiting: number;
  /** Takes the current order at once. */
  readonly release: () => void;
}

/**
 * Nothing that somebody looks at, points at or types in moves: while `hold` is true, the order
 * stays as it was. Data in it goes on changing, what is deleted stays as a mark, what is new waits.
 * Another `question` (search, filter, sort) is the person's own wish and takes effect at once; so
 * do the person's own additions and deletions (`ownChanges`, a counter).
 */
export function useHeldOrder(
  matching: readonly Book[],
  get: (id: number) => Book | null,
  hold: boolean,
  question: string,
  ownChanges: number,
): HeldOrder {
  const [shown, setShown] = useState({ books: matching, question, ownChanges });
  const stale = shown.question !== question || shown.ownChanges !== ownChanges;
  // Where nothing is, nothing moves.
  const free = !hold || stale || shown.books.length === 0;
  if (free && (shown.books !== matching || stale)) setShown({ books: matching, question, ownChanges });

  return useMemo(() => {
    const release = () => setShown({ books: matching, question, ownChanges });
    if (shown.books === matching) return { books: matching, removed: NONE, waiting: 0, release };
    const removed = new Set<number>();
    const held = new Set<number>();
    const books = shown.books.map((book) => {
      const current = get(book.id);
      // A book that was added here may have got its id from the server meanwhile.
      held.add(current?.id ?? book.id);
      if (current === null) removed.add(book.id);
      return current ?? book;
    });
    let waiting = 0;
    for (const book of matching) if (!held.has(book.id)) waiting += 1;
    return { books, removed, waiting, release };
  }, [shown, matching, get, question, ownChanges]);
}

const NONE: ReadonlySet<number> = new Set();

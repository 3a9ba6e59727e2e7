import { useMemo } from 'react';
import { ApiError } from '../../sync/api';
import type { Book, BookPatch, Draft } from '../../sync/book';
import type { Library } from '../../sync/library';
import { useLibrary } from '../../sync/react';
import { notify } from '../../ui/notify';

export interface BookActions {
  /** Resolves to whether it was done; what went wrong has been told. */
  favorite(id: number): Promise<boolean>;
  giveBack(book: Book): Promise<boolean>;
  /** Reject with ApiError, for a dialog that shows it beside its fields. */
  add(draft: Draft): Promise<Book>;
  change(book: Book, patch: BookPatch, done: string): Promise<Book>;
  remove(book: Book): Promise<void>;
}

export function useBookActions(): BookActions {
  const library = useLibrary();
  return useMemo(() => createActions(library), [library]);
}

function createActions(library: Library): BookActions {
  async function told(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      notify(sentence(error), { tone: 'trouble' });
      return false;
    }
  }

  return {
    favorite: (id) => told(() => library.setFavorite(id, !library.book(id)?.favorite)),
    giveBack: (book) =>
      told(async () => {
        const back = await library.change(book.id, { readerName: null, returnDateTime: null }, book.version);
        notify(`${quoted(book.title)} is back on the shelf`, {
          icon: 'giveBack',
          act: {
            label: 'Undo',
            run: () => void told(() => library.change(book.id, { readerName: book.readerName, returnDateTime: book.returnDateTime }, back.version)),
          },
        });
      }),
    async add(draft) {
      const book = await library.add(draft);
      notify(`${quoted(book.title)} is on the shelf`, { icon: 'add' });
      return book;
    },
    async change(book, patch, done) {
      const changed = await library.change(book.id, patch, book.version);
      notify(done, { icon: 'check' });
      return changed;
    },
    async remove(book) {
      await library.remove(book.id);
      notify(`${quoted(book.title)} was removed`, { icon: 'remove' });
    },
  };
}

/** A sentence for a person; never a stack or a status code. */
export function sentence(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong. Nothing was changed.';
  switch (error.kind) {
    case 'unreachable':
      return 'The library cannot be reached. Nothing was changed.';
    case 'changed':
      return 'Somebody changed this book a moment ago. Look at it again.';
    case 'not-found':
      return 'This book is no longer in the library.';
    case 'too-many':
      return error.retryAfter === null ? 'Too much at once. Try again in a moment.' : `Too much at once. Try again in ${error.retryAfter} seconds.`;
    case 'unavailable':
      return 'The library is not taking changes just now. Try again in a moment.';
    default:
      return error.message;
  }
}

/** Titles are cut in sentences, so that a long one does not push the verb away. */
export function quoted(title: string): string {
  const letters = Array.from(title);
  return `“${letters.length > 48 ? `${letters.slice(0, 47).join('')}…` : title}”`;
}

import { useMemo } from 'react';
import { ApiError, type Book, type BookPatch, type Draft, type Library, type Written } from '../../sync';
import { useLibrary } from '../../sync/react';
import type { IconName } from '../../ui/Icon';
import { notify } from '../../ui/notify';

export interface BookActions {
  /** Resolves to whether it was done or is on its way; what went wrong has been told. */
  favorite(book: Book): Promise<boolean>;
  giveBack(book: Book): Promise<boolean>;
  /** Reject with ApiError, for a dialog that shows it beside its fields. */
  add(draft: Draft): Promise<void>;
  change(book: Book, patch: BookPatch, done: string): Promise<void>;
  remove(book: Book): Promise<void>;
}

export function useBookActions(): BookActions {
  const library = useLibrary();
  return useMemo(() => createActions(library), [library]);
}

function createActions(library: Library): BookActions {
  /** `undone`: what a person sees change back, without having looked at it. */
  async function told(work: () => Promise<unknown>, undone = ''): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      notify(`${undone}${sentence(error)}`, { tone: 'trouble' });
      return false;
    }
  }

  /** Says what was done, or that it is kept until it can be. */
  function say({ status }: Written, done: string, icon: IconName, act?: { label: string; run: () => void }): void {
    if (status === 'done') notify(done, { icon, act });
    else notify(`${done} here. The library hears of it as soon as it can be reached`, { icon: 'clock', act });
  }

  return {
    favorite: (book) =>
      told(() => {
        const current = library.book(book.id) ?? book;
        return library.setFavorite(current, !current.favorite);
      }, `Your favourite ${quoted(book.title)} is as it was. `),
    giveBack: (book) =>
      told(async () => {
        const written = await library.change(book, { readerName: null, returnDateTime: null });
        const undo = () => void told(() => library.change(library.book(book.id) ?? book, { readerName: book.readerName, returnDateTime: book.returnDateTime }));
        say(written, `${quoted(book.title)} is back on the shelf`, 'giveBack', { label: 'Undo', run: undo });
      }),
    async add(draft) {
      say(await library.add(draft), `${quoted(draft.title)} is on the shelf`, 'add');
    },
    async change(book, patch, done) {
      say(await library.change(book, patch), done, 'check');
    },
    async remove(book) {
      say(await library.remove(book), `${quoted(book.title)} was removed`, 'remove');
    },
  };
}

/** A sentence for a person; never a stack or a status code. */
export function sentence(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong. Nothing was changed.';
  switch (error.kind) {
    case 'unreachable':
      return 'The library cannot be reached just now.';
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

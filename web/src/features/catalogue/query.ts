import { loanStatus, type Book } from '../../sync';

export const FILTERS = ['all', 'available', 'lent', 'overdue', 'mine'] as const;
export type Filter = (typeof FILTERS)[number];

export const SORTS = ['newest', 'title', 'author', 'due', 'favorites'] as const;
export type Sort = (typeof SORTS)[number];

export interface Query {
  readonly text: string;
  readonly filter: Filter;
  readonly sort: Sort;
}

export const EVERYTHING: Query = { text: '', filter: 'all', sort: 'newest' };

interface Keys {
  readonly title: string;
  readonly author: string;
  readonly searched: string;
}

/** Folding a text costs more than comparing it; a book object never changes, so its folded texts are kept with it. */
const foldedTexts = new WeakMap<Book, Keys>();

function keysOf(book: Book): Keys {
  const known = foldedTexts.get(book);
  if (known) return known;
  const title = fold(book.title);
  const author = fold(book.author);
  const keys = {
    title: title.replace(/^(the|a|an) /, ''),
    // By surname, as on a shelf.
    author: `${author.slice(author.lastIndexOf(' ') + 1)} ${author}`,
    searched: `${title}\n${author}\n${book.readerName === null ? '' : fold(book.readerName)}`,
  };
  foldedTexts.set(book, keys);
  return keys;
}

/** Lower case, without accents: "bronte" finds "Brontë". */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase();
}

/** Whether a lent book matches "lent" goes on when it is overdue: it is still out. */
function passes(book: Book, filter: Filter, now: number): boolean {
  switch (filter) {
    case 'all':
      return true;
    case 'mine':
      return book.favorite;
    case 'lent':
      return loanStatus(book, now) !== 'available';
    default:
      return loanStatus(book, now) === filter;
  }
}

export function select(books: readonly Book[], query: Query, now: number): readonly Book[] {
  const words = fold(query.text).split(/\s+/).filter(Boolean);
  const found = books.filter((book) => {
    if (!passes(book, query.filter, now)) return false;
    if (words.length === 0) return true;
    const { searched } = keysOf(book);
    return words.every((word) => searched.includes(word));
  });
  return found.sort(ORDERS[query.sort]);
}

export interface Counts {
  readonly all: number;
  readonly available: number;
  readonly lent: number;
  readonly overdue: number;
  readonly mine: number;
}

export function countBooks(books: readonly Book[], now: number): Counts {
  let lent = 0;
  let overdue = 0;
  let mine = 0;
  for (const book of books) {
    const status = loanStatus(book, now);
    if (status !== 'available') lent += 1;
    if (status === 'overdue') overdue += 1;
    if (book.favorite) mine += 1;
  }
  return { all: books.length, available: books.length - lent, lent, overdue, mine };
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const newest = (a: Book, b: Book) => byText(b.createdAt, a.createdAt) || b.id - a.id;
const byTitle = (a: Book, b: Book) => byText(keysOf(a).title, keysOf(b).title) || a.id - b.id;

const ORDERS: Readonly<Record<Sort, (a: Book, b: Book) => number>> = {
  newest,
  title: byTitle,
  author: (a, b) => byText(keysOf(a).author, keysOf(b).author) || byTitle(a, b),
  due: (a, b) => {
    if (a.returnDateTime === b.returnDateTime) return byTitle(a, b);
    if (a.returnDateTime === null) return 1;
    if (b.returnDateTime === null) return -1;
    return byText(a.returnDateTime, b.returnDateTime);
  },
  favorites: (a, b) => b.favoritesCount - a.favoritesCount || byTitle(a, b),
};

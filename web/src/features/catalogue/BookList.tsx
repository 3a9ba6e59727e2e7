import { useWindowVirtualizer, type Range } from '@tanstack/react-virtual';
import { defaultRangeExtractor } from '@tanstack/react-virtual';
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useRef, useState, type KeyboardEvent, type Ref, type RefObject } from 'react';
import type { Book } from '../../sync';
import { useLibrary } from '../../sync/react';
import { BookCard } from './BookCard';
import styles from './BookList.module.css';
import { BookRow } from './BookRow';
import type { QuickAction } from './item';
import { measureGrid, neighbour, type Grid } from './grid';

export type Look = 'covers' | 'list';

export interface BookListHandle {
  /** Moves the focus to the book at this place, or to the last one. */
  focusIndex(index: number): void;
  /** Moves the focus to this book, or to the one that took its place. */
  focusBook(id: number): void;
  scrollToTop(): void;
}

interface Props {
  readonly books: readonly Book[];
  readonly look: Look;
  readonly now: number;
  readonly fresh: ReadonlySet<number>;
  readonly removed: ReadonlySet<number>;
  readonly list: RefObject<HTMLDivElement | null>;
  readonly stickyHeight: () => number;
  readonly handle: Ref<BookListHandle>;
  readonly onOpen: (book: Book) => void;
  readonly onAction?: ((action: QuickAction, book: Book) => void) | undefined;
}

/**
 * The books that are in sight and a few around them, in a page as long as all of them. One book is
 * the current one: Tab reaches it, arrows move on from it, and it stays in the page while it has
 * the focus, however far it is scrolled away.
 */
export function BookList({ books, look, now, fresh, removed, list, stickyHeight, handle, onOpen, onAction }: Props) {
  'use no memo';
  const [grid, setGrid] = useState<Grid | null>(null);
  const [margin, setMargin] = useState(0);
  // Books are known here by a name that stays when the server gives an added one its id.
  const { keyOf } = useLibrary();
  const [currentKey, setCurrentKey] = useState<number | null>(null);
  const pendingFocus = useRef<number | null>(null);
  /** Where the focus is in the list, for the case that the book under it goes. */
  const focused = useRef<{ key: number; index: number } | null>(null);

  useLayoutEffect(() => {
    const element = list.current;
    if (!element) return;
    const measure = () => {
      setGrid(measureGrid(element.clientWidth, look, onAction !== undefined));
      setMargin(element.getBoundingClientRect().top + window.scrollY);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    // What stands above the list may grow or shrink too.
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [list, look, onAction]);

  const columns = grid?.columns ?? 1;
  const rowHeight = grid?.rowHeight ?? 56;
  const found = books.findIndex((book) => keyOf(book.id) === currentKey);
  const current = found >= 0 ? found : 0;
  const currentRow = Math.floor(current / columns);

  const virtualizer = useWindowVirtualizer({
    count: Math.ceil(books.length / columns),
    estimateSize: () => rowHeight,
    overscan: look === 'covers' ? 2 : 8,
    scrollMargin: margin,
    getItemKey: (row) => {
      const first = books[row * columns];
      return first === undefined ? row : keyOf(first.id);
    },
    rangeExtractor: useCallback(
      (range: Range) => {
        const rows = defaultRangeExtractor(range);
        if (currentRow < range.count && !rows.includes(currentRow)) rows.push(currentRow);
        return rows.sort((a, b) => a - b);
      },
      [currentRow],
    ),
  });
  useLayoutEffect(() => virtualizer.measure(), [virtualizer, rowHeight, columns]);

  const focusItem = useCallback(
    (index: number) => {
      const button = list.current?.querySelector<HTMLElement>(`[data-index="${index}"] [data-open]`);
      if (!button) return false;
      button.focus({ preventScroll: true });
      // The sticky toolbar would hide what the browser scrolls to the very top.
      const item = button.closest('[data-index]');
      if (item) {
        const { top, bottom } = item.getBoundingClientRect();
        if (top < stickyHeight() + 8) window.scrollBy({ top: top - stickyHeight() - 16 });
        else if (bottom > window.innerHeight - 8) window.scrollBy({ top: bottom - window.innerHeight + 24 });
      }
      return true;
    },
    [list, stickyHeight],
  );

  const focusIndex = useCallback(
    (index: number) => {
      const book = books[Math.max(0, Math.min(index, books.length - 1))];
      if (!book) return;
      const place = books.indexOf(book);
      setCurrentKey(keyOf(book.id));
      if (focusItem(place)) return;
      pendingFocus.current = place;
      virtualizer.scrollToIndex(Math.floor(place / columns), { align: 'center' });
    },
    [books, columns, focusItem, keyOf, virtualizer],
  );

  useEffect(() => {
    if (pendingFocus.current !== null && focusItem(pendingFocus.current)) pendingFocus.current = null;
  });

  // The book that had the focus is gone, and the focus with it: the next one takes over.
  useEffect(() => {
    const last = focused.current;
    if (last === null || (document.activeElement !== null && document.activeElement !== document.body)) return;
    if (books.some((book) => keyOf(book.id) === last.key)) return;
    focused.current = null;
    focusIndex(last.index);
  }, [books, focusIndex, keyOf]);

  useImperativeHandle(
    handle,
    () => ({
      focusIndex,
      focusBook: (id) => {
        const index = books.findIndex((book) => keyOf(book.id) === keyOf(id));
        focusIndex(index >= 0 ? index : (focused.current?.index ?? 0));
      },
      scrollToTop: () => window.scrollTo({ top: 0, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' }),
    }),
    [books, focusIndex, keyOf],
  );

  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const item = (event.target as HTMLElement).closest<HTMLElement>('[data-index]');
    if (!item) return;
    const next = neighbour(event.key, Number(item.dataset.index), columns, books.length);
    if (next === null) return;
    event.preventDefault();
    focusIndex(next);
  };

  const Item = look === 'covers' ? BookCard : BookRow;
  return (
    <div
      ref={list}
      role="list"
      aria-label="Books"
      className={styles.list}
      data-look={look}
      style={{ height: virtualizer.getTotalSize() }}
      onKeyDown={onKeyDown}
      onFocus={(event) => {
        const item = event.target.closest<HTMLElement>('[data-book-id]');
        if (!item) return;
        const key = keyOf(Number(item.dataset.bookId));
        setCurrentKey(key);
        focused.current = { key, index: Number(item.dataset.index) };
      }}
      onBlur={(event) => {
        // Without a next target the focus was lost, not moved: the book may just have gone.
        if (event.relatedTarget !== null) focused.current = null;
      }}
    >
      {grid &&
        virtualizer.getVirtualItems().map((row) => (
          <div
            key={row.key}
            role="none"
            className={styles.shelf}
            style={{
              height: rowHeight,
              transform: `translateY(${row.start - margin}px)`,
              gridTemplateColumns: `repeat(${columns}, ${grid.cellWidth}px)`,
              columnGap: grid.gap,
            }}
          >
            {books.slice(row.index * columns, (row.index + 1) * columns).map((book, column) => {
              const index = row.index * columns + column;
              return (
                <Item
                  key={keyOf(book.id)}
                  book={book}
                  index={index}
                  total={books.length}
                  now={now}
                  fresh={fresh.has(book.id)}
                  removed={removed.has(book.id)}
                  current={index === current}
                  onOpen={onOpen}
                  onAction={onAction}
                />
              );
            })}
          </div>
        ))}
    </div>
  );
}

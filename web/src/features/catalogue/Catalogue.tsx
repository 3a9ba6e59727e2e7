import Button from '@mui/material/Button';
import { lazy, Suspense, useCallback, useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import type { Book } from '../../sync';
import { useBooks, useCatalogueStatus, useLibrary } from '../../sync/react';
import { Icon } from '../../ui/Icon';
import { LoadBoundary } from '../../ui/LoadBoundary';
import { useNow } from '../../ui/useNow';
import { BookList, type BookListHandle, type Look } from './BookList';
import styles from './Catalogue.module.css';
import type { OpenDialog } from './dialogState';
import type { QuickAction } from './item';
import { countBooks, EVERYTHING, select, type Query } from './query';
import { Empty, Failed, Loading, NothingFound } from './States';
import { Toolbar } from './Toolbar';
import { useBookActions } from './useBookActions';
import { useCatalogueKeys } from './useCatalogueKeys';
import { useDialogFocus } from './useDialogFocus';
import { useFresh } from './useFresh';
import { useHeldOrder } from './useHeldOrder';
import { useLook } from './useLook';
import { useStillness } from './useStillness';

const loadDialogs = () => import('./dialogs/Dialogs');
const Dialogs = lazy(loadDialogs);

interface Props {
  readonly heading: string;
  /** The main heading of its page, or a part of one. */
  readonly level: 1 | 2;
  /** The desk lends, edits and deletes from the line itself, in a dense list. */
  readonly quickActions: boolean;
}

export function Catalogue({ heading, level, quickActions }: Props) {
  const library = useLibrary();
  const { mayEdit } = library.identity;
  const books = useBooks();
  const status = useCatalogueStatus();
  const actions = useBookActions();
  const fresh = useFresh();
  const now = useNow(30_000);
  const [chosenLook, setLook] = useLook();
  const look: Look = quickActions ? 'list' : chosenLook;
  const [query, setQuery] = useState<Query>(EVERYTHING);
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const [ownChanges, setOwnChanges] = useState(0);

  const list = useRef<HTMLDivElement>(null);
  const handle = useRef<BookListHandle>(null);
  const search = useRef<HTMLInputElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const stickyHeight = useCallback(() => bar.current?.getBoundingClientRect().bottom ?? 0, []);
  const { hold, handlers } = useStillness(list, stickyHeight);

  // Typing goes first; ten thousand books may follow a moment later.
  const asked = useDeferredValue(query);
  const matching = useMemo(() => select(books, asked, now), [books, asked, now]);
  const counts = useMemo(() => countBooks(books, now), [books, now]);
  const question = `${look} ${asked.filter} ${asked.sort} ${asked.text}`;
  const order = useHeldOrder(matching, library.book, hold || dialog !== null, question, ownChanges);

  const remember = useDialogFocus(dialog, handle);
  const openDialog = useCallback(
    (next: OpenDialog) => {
      remember(next, true);
      setDialog(next);
    },
    [remember],
  );
  const openBook = useCallback((book: Book) => openDialog({ kind: 'book', id: book.id }), [openDialog]);
  const act = useCallback(
    (action: QuickAction, book: Book) => {
      if (action === 'return') void actions.giveBack(book);
      else openDialog({ kind: action, id: book.id });
    },
    [actions, openDialog],
  );
  const add = useCallback(() => openDialog({ kind: 'add' }), [openDialog]);
  useCatalogueKeys({ search, list, enabled: dialog === null && status.status === 'ready', onAdd: mayEdit ? add : null });

  // The dialogs come after the first paint, so that they are there when the server is not.
  useEffect(() => {
    const timer = setTimeout(() => void loadDialogs().catch(() => undefined), 1_500);
    return () => clearTimeout(timer);
  }, []);

  const changeQuery = (next: Query) => {
    setQuery(next);
    if (window.scrollY > 0 && (next.filter !== query.filter || next.sort !== query.sort)) window.scrollTo({ top: 0 });
  };

  const Heading = level === 1 ? 'h1' : 'h2';
  const ready = status.status === 'ready';
  const empty = ready && books.length === 0;
  return (
    <section className={styles.catalogue} aria-label={heading}>
      <div className={styles.masthead} data-level={level}>
        <div>
          <Heading className={styles.heading}>{heading}</Heading>
          <p className={styles.summary}>
            {ready && !empty ? (
              <>
                <span data-book-count="">{matching.length}</span> {matching.length === 1 ? 'book' : 'books'}
                {matching.length !== counts.all && ` of ${counts.all}`}
                {matching.length === counts.all && counts.lent > 0 && ` · ${counts.lent} lent`}
                {matching.length === counts.all && counts.overdue > 0 && ` · ${counts.overdue} overdue`}
              </>
            ) : (
              <span>&nbsp;</span>
            )}
          </p>
        </div>
        {!empty && mayEdit && (
          <Button variant="contained" className={styles.add ?? ''} startIcon={<Icon name="add" size={18} />} disabled={!ready} onClick={add}>
            Add book
          </Button>
        )}
      </div>
      {!empty && (
        <Toolbar
          query={query}
          counts={ready ? counts : null}
          look={look}
          onLook={quickActions ? undefined : setLook}
          search={search}
          bar={bar}
          onQuery={changeQuery}
          onLeave={() => handle.current?.focusIndex(0)}
        />
      )}
      {order.waiting > 0 && (
        <div className={styles.waiting}>
          <button
            type="button"
            onClick={() => {
              order.release();
              handle.current?.scrollToTop();
            }}
          >
            <Icon name="up" size={16} />
            {order.waiting === 1 ? 'Show 1 new book' : `Show ${order.waiting} new books`}
          </button>
        </div>
      )}
      <div className={styles.body} {...handlers}>
        {status.status === 'loading' && <Loading look={look} />}
        {status.status === 'failed' && <Failed error={status.error} />}
        {empty && <Empty onAdd={add} />}
        {ready && !empty && order.books.length === 0 && <NothingFound text={query.text} onClear={() => setQuery(EVERYTHING)} />}
        {ready && order.books.length > 0 && (
          <BookList
            books={order.books}
            look={look}
            now={now}
            fresh={fresh}
            removed={order.removed}
            list={list}
            stickyHeight={stickyHeight}
            handle={handle}
            onOpen={openBook}
            onAction={quickActions ? act : undefined}
          />
        )}
      </div>
      {dialog !== null && (
        <LoadBoundary>
          <Suspense fallback={null}>
            <Dialogs open={dialog} onOpen={setDialog} onClose={() => setDialog(null)} onOwnChange={() => setOwnChanges((changes) => changes + 1)} />
          </Suspense>
        </LoadBoundary>
      )}
    </section>
  );
}

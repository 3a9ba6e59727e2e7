import { useState } from 'react';
import type { Book } from '../../sync/book';
import { Glow } from '../../ui/Glow';
import { Icon } from '../../ui/Icon';
import styles from './FavoriteButton.module.css';
import { useBookActions } from './useBookActions';

/** A heart with the number of people who gave theirs. */
export function FavoriteButton({ book, tabIndex }: { book: Book; tabIndex?: number }) {
  const actions = useBookActions();
  const [busy, setBusy] = useState(false);
  return (
    <span className={styles.favorite}>
      <button
        type="button"
        className={styles.button}
        aria-label={`Favourite ${book.title}`}
        aria-pressed={book.favorite}
        aria-busy={busy}
        title={book.favorite ? 'One of your favourites' : 'Add to your favourites'}
        tabIndex={tabIndex}
        onClick={() => {
          if (busy) return;
          setBusy(true);
          void actions.favorite(book).finally(() => setBusy(false));
        }}
      >
        <Icon name="heart" size={18} filled={book.favorite} />
        <Glow of={book.favoritesCount} className={styles.count}>
          <span aria-hidden="true">{book.favoritesCount > 0 ? book.favoritesCount : ''}</span>
        </Glow>
      </button>
      <span className="unseen">{book.favoritesCount === 1 ? '1 favourite' : `${book.favoritesCount} favourites`}</span>
    </span>
  );
}

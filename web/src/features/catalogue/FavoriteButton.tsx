import type { Book } from '../../sync';
import { Glow } from '../../ui/Glow';
import { Icon } from '../../ui/Icon';
import styles from './FavoriteButton.module.css';
import { useBookActions } from './useBookActions';

/** A heart with the number of people who gave theirs. */
export function FavoriteButton({ book, tabIndex }: { book: Book; tabIndex?: number }) {
  const actions = useBookActions();
  return (
    <span className={styles.favorite} data-pressed={book.favorite || undefined}>
      <button
        type="button"
        className={styles.button}
        aria-label={`Favourite ${book.title}`}
        aria-pressed={book.favorite}
        title={book.favorite ? 'One of your favourites' : 'Add to your favourites'}
        tabIndex={tabIndex}
        onClick={() => void actions.favorite(book)}
      >
        <Icon name="heart" size={18} filled={book.favorite} />
      </button>
      {/* Beside the button, so that its name stays the same while the number moves. */}
      <Glow of={book.favoritesCount} className={styles.count}>
        <span aria-hidden="true">{book.favoritesCount > 0 ? book.favoritesCount : ''}</span>
      </Glow>
      <span className="unseen">{book.favoritesCount === 1 ? '1 favourite' : `${book.favoritesCount} favourites`}</span>
    </span>
  );
}

import { memo } from 'react';
import { loanStatus } from '../../sync';
import { Cover } from '../../ui/cover/Cover';
import { Glow } from '../../ui/Glow';
import styles from './BookCard.module.css';
import { FavoriteButton } from './FavoriteButton';
import type { ItemProps } from './item';
import { Status } from './Status';
import { WaitingMark } from './WaitingMark';

/** A book as a cover on the shelf; a lent one has a slip in it that says where it is. */
export const BookCard = memo(function BookCard({ book, index, total, now, fresh, removed, current, onOpen }: ItemProps) {
  const status = loanStatus(book, now);
  return (
    <div
      role="listitem"
      aria-setsize={total}
      aria-posinset={index + 1}
      className={styles.card}
      data-index={index}
      data-book-id={book.id}
      data-favorites={book.favoritesCount}
      data-status={status}
      data-fresh={fresh || undefined}
      data-removed={removed || undefined}
      data-waiting={book.waiting}
    >
      <div className={styles.stand} onClick={removed ? undefined : () => onOpen(book)}>
        <Cover title={book.title} author={book.author} />
        {removed ? (
          <span className={styles.slip}>Removed</span>
        ) : (
          status !== 'available' && (
            <span className={styles.slip} data-status={status}>
              <Status book={book} now={now} />
            </span>
          )
        )}
        {fresh && !removed && <span className={styles.new}>New</span>}
      </div>
      <div className={styles.words}>
        <Glow of={`${book.title}\n${book.author}`} className={styles.name}>
          <button type="button" className={styles.title} tabIndex={current ? 0 : -1} aria-disabled={removed || undefined} data-open="" onClick={removed ? undefined : () => onOpen(book)}>
            {book.title}
          </button>
          <span className={styles.author}>{book.author}</span>
          {book.waiting && !removed && <WaitingMark />}
        </Glow>
        {!removed && <FavoriteButton book={book} tabIndex={current ? 0 : -1} />}
      </div>
      {status === 'available' && <span className="unseen">Available</span>}
    </div>
  );
});

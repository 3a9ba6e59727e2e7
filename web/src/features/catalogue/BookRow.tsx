import Button from '@mui/material/Button';
import { memo } from 'react';
import { loanStatus } from '../../sync';
import { Cover } from '../../ui/cover/Cover';
import { Glow } from '../../ui/Glow';
import { IconAction } from '../../ui/IconAction';
import styles from './BookRow.module.css';
import { FavoriteButton } from './FavoriteButton';
import type { ItemProps } from './item';
import { Status } from './Status';
import { WaitingMark } from './WaitingMark';

/** A book as one line of a dense list, with quick actions where the view offers them. */
export const BookRow = memo(function BookRow({ book, index, total, now, fresh, removed, current, onOpen, onAction }: ItemProps) {
  const status = loanStatus(book, now);
  const tabIndex = current ? 0 : -1;
  return (
    <div
      role="listitem"
      aria-setsize={total}
      aria-posinset={index + 1}
      className={styles.row}
      data-index={index}
      data-book-id={book.id}
      data-favorites={book.favoritesCount}
      data-status={status}
      data-fresh={fresh || undefined}
      data-removed={removed || undefined}
      data-waiting={book.waiting}
      data-actions={onAction ? '' : undefined}
    >
      <div className={styles.cover}>
        <Cover title={book.title} author={book.author} />
      </div>
      <Glow of={`${book.title}\n${book.author}`} className={styles.name}>
        <span className={styles.line}>
          <button type="button" className={styles.title} tabIndex={tabIndex} aria-disabled={removed || undefined} data-open="" onClick={removed ? undefined : () => onOpen(book)}>
            {book.title}
          </button>
          {fresh && !removed && <span className={styles.new}>New</span>}
          {book.waiting && !removed && <WaitingMark />}
        </span>
        <span className={styles.author}>{book.author}</span>
      </Glow>
      <div className={styles.status}>{removed ? <span className={styles.gone}>Removed</span> : <Status book={book} now={now} />}</div>
      {!removed && (
        <div className={styles.tools}>
          <FavoriteButton book={book} tabIndex={tabIndex} />
          {onAction && (
            <>
              <Button
                variant="outlined"
                size="small"
                className={styles.loan ?? ''}
                tabIndex={tabIndex}
                aria-label={status === 'available' ? `Lend ${book.title}` : `Return ${book.title}`}
                onClick={() => onAction(status === 'available' ? 'lend' : 'return', book)}
              >
                {status === 'available' ? 'Lend' : 'Return'}
              </Button>
              <IconAction label={`Edit ${book.title}`} hint="Edit" icon="edit" iconSize={18} tabIndex={tabIndex} onClick={() => onAction('edit', book)} />
              <IconAction label={`Delete ${book.title}`} hint="Delete" icon="remove" iconSize={18} tabIndex={tabIndex} onClick={() => onAction('delete', book)} />
            </>
          )}
        </div>
      )}
    </div>
  );
});

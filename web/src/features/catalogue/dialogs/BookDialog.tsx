import Button from '@mui/material/Button';
import { useId } from 'react';
import { loanStatus, type Book } from '../../../sync';
import { useBook, useLibrary } from '../../../sync/react';
import { Cover } from '../../../ui/cover/Cover';
import { Icon } from '../../../ui/Icon';
import { IconAction } from '../../../ui/IconAction';
import { Sheet } from '../../../ui/Sheet';
import { ago, exactly } from '../../../ui/time';
import { useNow } from '../../../ui/useNow';
import { FavoriteButton } from '../FavoriteButton';
import { Status } from '../Status';
import { useBookActions } from '../useBookActions';
import styles from './dialogs.module.css';

interface Props {
  readonly book: Book;
  readonly onClose: () => void;
  readonly onGo: (kind: 'edit' | 'lend' | 'delete') => void;
}

/** One book, in full; what others do to it shows here too. */
export function BookDialog({ book: opened, onClose, onGo }: Props) {
  const { mayEdit } = useLibrary().identity;
  const actions = useBookActions();
  const now = useNow(30_000);
  const current = useBook(opened.id);
  const book = current ?? opened;
  const heading = useId();
  const available = loanStatus(book, now) === 'available';
  return (
    <Sheet open onClose={onClose} aria-labelledby={heading} maxWidth="sm">
      <div className={styles.book}>
        <div className={styles.bookCover}>
          <Cover title={book.title} author={book.author} />
        </div>
        <div className={styles.bookText}>
          <h2 id={heading} className={styles.bookTitle}>
            {book.title}
          </h2>
          <p className={styles.bookAuthor}>{book.author}</p>
          {current === null ? (
            <p role="status" className={styles.trouble}>
              This book was removed a moment ago.
            </p>
          ) : (
            <>
              <div className={styles.bookStatus}>
                <Status book={book} now={now} />
                {book.returnDateTime !== null && <p className={styles.fine}>Due back {exactly(book.returnDateTime)}</p>}
              </div>
              <div className={styles.bookMain}>
                {mayEdit &&
                  (available ? (
                  <Button variant="contained" startIcon={<Icon name="lend" size={18} />} onClick={() => onGo('lend')}>
                    Lend
                  </Button>
                ) : (
                  <Button variant="contained" startIcon={<Icon name="giveBack" size={18} />} onClick={() => void actions.giveBack(book).then((done) => done && onClose())}>
                    Return
                  </Button>
                ))}
                <FavoriteButton book={book} />
              </div>
              <p className={styles.fine}>
                <span title={exactly(book.createdAt)}>Added {ago(Date.parse(book.createdAt), now)}</span>
                {book.updatedAt !== book.createdAt && <span title={exactly(book.updatedAt)}>, changed {ago(Date.parse(book.updatedAt), now)}</span>}
              </p>
            </>
          )}
        </div>
        <IconAction label="Close" icon="close" onClick={onClose} className={styles.close} />
      </div>
      {current !== null && mayEdit && (
        <div className={styles.bookFoot}>
          <Button color="inherit" startIcon={<Icon name="edit" size={18} />} onClick={() => onGo('edit')}>
            Edit
          </Button>
          <Button color="error" startIcon={<Icon name="remove" size={18} />} onClick={() => onGo('delete')}>
            Delete
          </Button>
        </div>
      )}
    </Sheet>
  );
}

import Button from '@mui/material/Button';
import { useId } from 'react';
import type { Book } from '../../../sync';
import { Sheet } from '../../../ui/Sheet';
import { quoted, useBookActions } from '../useBookActions';
import styles from './dialogs.module.css';
import { useSubmit } from './useSubmit';

interface Props {
  readonly book: Book;
  readonly onClose: () => void;
  readonly onRemoved: () => void;
}

export function DeleteDialog({ book, onClose, onRemoved }: Props) {
  const actions = useBookActions();
  const { busy, trouble, submit } = useSubmit();
  const heading = useId();
  const text = useId();
  return (
    <Sheet open onClose={onClose} role="alertdialog" aria-labelledby={heading} aria-describedby={text}>
      <div className={styles.form}>
        <h2 id={heading} className={styles.heading}>
          Delete this book?
        </h2>
        <p id={text} className={styles.question}>
          {quoted(book.title)} by {book.author} leaves the library for everybody
          {book.readerName !== null && `, and nobody will know that ${book.readerName} has it`}. This cannot be undone.
        </p>
        {trouble !== null && (
          <p role="alert" className={styles.trouble}>
            {trouble}
          </p>
        )}
        <div className={styles.buttons}>
          <span className={styles.spring} />
          <Button color="inherit" autoFocus onClick={onClose}>
            Keep it
          </Button>
          <Button
            variant="contained"
            color="error"
            loading={busy}
            onClick={() =>
              void submit(async () => {
                await actions.remove(book);
                onRemoved();
              })
            }
          >
            Delete book
          </Button>
        </div>
      </div>
    </Sheet>
  );
}

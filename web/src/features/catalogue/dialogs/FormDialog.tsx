import Button from '@mui/material/Button';
import { useId, type ReactNode } from 'react';
import { Sheet } from '../../../ui/Sheet';
import styles from './dialogs.module.css';

interface Props {
  readonly title: string;
  /** What the button says that does it. */
  readonly action: string;
  readonly busy: boolean;
  readonly disabled?: boolean;
  /** Why it was not done. */
  readonly trouble: string | null;
  readonly extra?: ReactNode;
  readonly children: ReactNode;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
}

/** A question with fields, one button that does it and one that does not. Enter in a field does it. */
export function FormDialog({ title, action, busy, disabled = false, trouble, extra, children, onSubmit, onClose }: Props) {
  const heading = useId();
  return (
    <Sheet open onClose={onClose} aria-labelledby={heading} maxWidth="sm">
      <form
        noValidate
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && !disabled) onSubmit();
        }}
      >
        <h2 id={heading} className={styles.heading}>
          {title}
        </h2>
        {children}
        {trouble !== null && (
          <p role="alert" className={styles.trouble}>
            {trouble}
          </p>
        )}
        <div className={styles.buttons}>
          {extra}
          <span className={styles.spring} />
          <Button type="button" color="inherit" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" variant="contained" loading={busy} disabled={disabled}>
            {action}
          </Button>
        </div>
      </form>
    </Sheet>
  );
}

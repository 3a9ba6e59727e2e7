import Button from '@mui/material/Button';
import { useId, useState, type ReactNode } from 'react';
import { Sheet } from '../../ui/Sheet';
import styles from './Confirm.module.css';
import { reasonOf } from './server';

interface Props {
  readonly title: string;
  readonly children: ReactNode;
  /** What the button does, in its own words. */
  readonly act: string;
  readonly keep: string;
  readonly run: () => Promise<unknown>;
  readonly onClose: () => void;
}

/** Asks before something that others will notice. Stays open, and says why, when it fails. */
export function Confirm({ title, children, act, keep, run, onClose }: Props) {
  const heading = useId();
  const text = useId();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const submit = async () => {
    setBusy(true);
    setTrouble(null);
    try {
      await run();
      onClose();
    } catch (error) {
      setTrouble(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Sheet open onClose={onClose} role="alertdialog" aria-labelledby={heading} aria-describedby={text}>
      <div className={styles.confirm}>
        <h2 id={heading} className={styles.title}>
          {title}
        </h2>
        <div id={text} className={styles.text}>
          {children}
        </div>
        {trouble !== null && (
          <p role="alert" className={styles.trouble}>
            {trouble}
          </p>
        )}
        <div className={styles.buttons}>
          <Button color="inherit" autoFocus onClick={onClose}>
            {keep}
          </Button>
          <Button variant="contained" color="error" loading={busy} onClick={() => void submit()}>
            {act}
          </Button>
        </div>
      </div>
    </Sheet>
  );
}

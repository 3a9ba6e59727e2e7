import Button from '@mui/material/Button';
import { exactly, fromField } from '../../../ui/time';
import styles from './dialogs.module.css';
import type { FieldName } from './draft';

const WORDS: Readonly<Record<FieldName, string>> = { title: 'title', author: 'author', readerName: 'reader', due: 'return date' };

/** Their value beside the field that holds yours. */
export function Conflict({ name, theirs, onKeep, onTake }: { name: FieldName; theirs: string; onKeep: () => void; onTake: () => void }) {
  const due = name === 'due' ? fromField(theirs) : null;
  const shown = theirs === '' ? 'nothing' : due !== null ? exactly(due) : theirs;
  return (
    <div className={styles.conflict} data-conflict={name}>
      <p>
        Now the {WORDS[name]} is <strong>{shown}</strong>
      </p>
      <Button size="small" variant="outlined" onClick={onKeep}>
        Keep mine
      </Button>
      <Button size="small" variant="outlined" onClick={onTake}>
        Take theirs
      </Button>
    </div>
  );
}

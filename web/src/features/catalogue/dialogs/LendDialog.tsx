import Button from '@mui/material/Button';
import TextField from '@mui/material/TextField';
import { useState } from 'react';
import { READER_LIMIT, type Book } from '../../../sync';
import { fromField, toField, whenDue } from '../../../ui/time';
import { quoted, useBookActions } from '../useBookActions';
import styles from './dialogs.module.css';
import { FormDialog } from './FormDialog';
import { useSubmit } from './useSubmit';

const TERMS = [
  { label: '1 week', days: 7 },
  { label: '2 weeks', days: 14 },
  { label: '1 month', days: 30 },
] as const;

/** In so many days, at six in the evening. */
function inDays(days: number): string {
  const due = new Date();
  due.setDate(due.getDate() + days);
  due.setHours(18, 0, 0, 0);
  return toField(due.toISOString());
}

export function LendDialog({ book, onClose, onOwnChange }: { book: Book; onClose: () => void; onOwnChange: () => void }) {
  const actions = useBookActions();
  const [reader, setReader] = useState('');
  const [due, setDue] = useState(() => inDays(14));
  const [problem, setProblem] = useState<{ reader?: string; due?: string }>({});
  const { busy, trouble, submit } = useSubmit();

  const lend = () => {
    const name = reader.trim();
    const until = fromField(due);
    const found: { reader?: string; due?: string } = {};
    if (name === '') found.reader = 'Who takes it?';
    else if (Array.from(name).length > READER_LIMIT) found.reader = `At most ${READER_LIMIT} characters.`;
    if (due !== '' && until === null) found.due = 'This is not a date.';
    else if (until !== null && Date.parse(until) <= Date.now()) found.due = 'This has passed already.';
    setProblem(found);
    if (found.reader !== undefined || found.due !== undefined) return;
    const words = until === null ? `${name} has ${quoted(book.title)}` : `${name} has ${quoted(book.title)} until ${whenDue(until, Date.now())}`;
    void submit(async () => {
      await actions.change(book, { readerName: name, returnDateTime: until }, words);
      onOwnChange();
      onClose();
    });
  };

  return (
    <FormDialog title={`Lend ${book.title}`} action="Lend" busy={busy} trouble={trouble} onClose={onClose} onSubmit={lend}>
      <div className={styles.fields}>
        <TextField
          label="Lent to"
          name="readerName"
          autoFocus
          fullWidth
          autoComplete="off"
          value={reader}
          error={problem.reader !== undefined}
          helperText={problem.reader}
          onChange={(event) => setReader(event.target.value)}
        />
        <TextField
          label="Return by"
          name="due"
          type="datetime-local"
          fullWidth
          value={due}
          error={problem.due !== undefined}
          helperText={problem.due}
          slotProps={{ inputLabel: { shrink: true } }}
          onChange={(event) => setDue(event.target.value)}
        />
        <div className={styles.terms}>
          {TERMS.map((term) => (
            <Button key={term.days} type="button" size="small" variant="outlined" aria-pressed={due === inDays(term.days)} onClick={() => setDue(inDays(term.days))}>
              {term.label}
            </Button>
          ))}
        </div>
      </div>
    </FormDialog>
  );
}

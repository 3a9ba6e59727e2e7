import Button from '@mui/material/Button';
import { useState } from 'react';
import { ApiError, type Book } from '../../../sync';
import { useBook, useLibrary } from '../../../sync/react';
import { quoted, useBookActions } from '../useBookActions';
import { BookFields } from './BookFields';
import { Conflict } from './Conflict';
import styles from './dialogs.module.css';
import { check, fieldsOf, merge, patchOf, type FieldName, type Problems } from './draft';
import { FormDialog } from './FormDialog';
import { useSubmit } from './useSubmit';

interface Props {
  readonly book: Book;
  readonly onClose: () => void;
  readonly onDelete: () => void;
  readonly onOwnChange: () => void;
}

/**
 * Edits a book that others may edit too. The form knows the version that it was filled from; when
 * the book moves on, untouched fields follow, and a field that both changed shows both values
 * until the person chooses one.
 */
export function EditDialog({ book: opened, onClose, onDelete, onOwnChange }: Props) {
  const library = useLibrary();
  const actions = useBookActions();
  const current = useBook(opened.id);
  const [base, setBase] = useState(opened);
  const [fields, setFields] = useState(() => fieldsOf(opened));
  const [conflicts, setConflicts] = useState<readonly FieldName[]>([]);
  const [taken, setTaken] = useState<readonly FieldName[]>([]);
  const [problems, setProblems] = useState<Problems>({});
  const { busy, trouble, submit } = useSubmit();

  // The book under the form has moved on. While this form's own change is under way, it may be just that.
  if (current !== null && (current.version !== base.version || current.edit !== base.edit) && !busy) {
    const merged = merge(fields, base, current);
    setBase(current);
    setFields(merged.fields);
    setConflicts([...new Set([...conflicts, ...merged.conflicts])].filter((name) => fieldsOf(current)[name] !== merged.fields[name]));
    setTaken([...new Set([...taken, ...merged.taken])]);
  }

  const gone = current === null;
  const settle = (name: FieldName) => setConflicts(conflicts.filter((other) => other !== name));
  const change = (name: FieldName, value: string) => {
    setFields({ ...fields, [name]: value });
    setProblems({ ...problems, [name]: undefined });
    setTaken(taken.filter((other) => other !== name));
  };

  const save = () => {
    const found = check(fields);
    setProblems(found);
    if (Object.keys(found).length > 0) return;
    const patch = patchOf(fields, base);
    if (Object.keys(patch).length === 0) {
      onClose();
      return;
    }
    void submit(async () => {
      try {
        await actions.change(base, patch, `${quoted(fields.title.trim())} was saved`);
      } catch (error) {
        // The news of the other change is still on its way: fetch it, so that the form can show it.
        if (error instanceof ApiError && error.kind === 'changed') await library.reload(base.id);
        throw error;
      }
      onOwnChange();
      onClose();
    });
  };

  const theirs = fieldsOf(base);
  const remarks = Object.fromEntries([
    ...taken.map((name) => [
      name,
      <p key="taken" className={styles.taken} data-taken={name}>
        Changed by somebody else just now.
      </p>,
    ]),
    ...conflicts.map((name) => [
      name,
      <Conflict
        key="conflict"
        name={name}
        theirs={theirs[name]}
        onKeep={() => settle(name)}
        onTake={() => {
          change(name, theirs[name]);
          settle(name);
        }}
      />,
    ]),
  ]) as Partial<Record<FieldName, React.ReactNode>>;

  return (
    <FormDialog
      title="Edit book"
      action="Save changes"
      busy={busy}
      disabled={gone || conflicts.length > 0}
      trouble={gone ? 'Somebody removed this book while you were editing it.' : trouble}
      onClose={onClose}
      onSubmit={save}
      extra={
        !gone && (
          <Button type="button" color="error" onClick={onDelete}>
            Delete…
          </Button>
        )
      }
    >
      {conflicts.length > 0 && (
        <p role="status" className={styles.notice}>
          Somebody changed this book while you were editing it. Choose what to keep.
        </p>
      )}
      <BookFields fields={fields} problems={problems} onChange={change} remarks={remarks} />
    </FormDialog>
  );
}

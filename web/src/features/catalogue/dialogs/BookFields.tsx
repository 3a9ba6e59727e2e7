import TextField from '@mui/material/TextField';
import type { ReactNode } from 'react';
import styles from './dialogs.module.css';
import type { FieldName, Fields, Problems } from './draft';

interface Props {
  readonly fields: Fields;
  readonly problems: Problems;
  readonly onChange: (name: FieldName, value: string) => void;
  /** Shown below a field: what somebody else did to it. */
  readonly remarks?: Partial<Record<FieldName, ReactNode>>;
}

export function BookFields({ fields, problems, onChange, remarks = {} }: Props) {
  const common = (name: FieldName) => ({
    name,
    value: fields[name],
    error: problems[name] !== undefined,
    helperText: problems[name],
    fullWidth: true,
    autoComplete: 'off',
    onChange: (event: { target: { value: string } }) => onChange(name, event.target.value),
  });
  return (
    <div className={styles.fields}>
      <div>
        <TextField label="Title" autoFocus slotProps={{ htmlInput: { 'aria-required': true } }} {...common('title')} />
        {remarks.title}
      </div>
      <div>
        <TextField label="Author" slotProps={{ htmlInput: { 'aria-required': true } }} {...common('author')} />
        {remarks.author}
      </div>
      <div className={styles.pair}>
        <div>
          <TextField label="Lent to" placeholder="Nobody" {...common('readerName')} />
          {remarks.readerName}
        </div>
        <div>
          <TextField label="Return by" type="datetime-local" slotProps={{ inputLabel: { shrink: true } }} {...common('due')} />
          {remarks.due}
        </div>
      </div>
    </div>
  );
}

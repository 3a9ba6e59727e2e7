import { useState } from 'react';
import { useBookActions } from '../useBookActions';
import { BookFields } from './BookFields';
import { BLANK, check, draftOf, type Problems } from './draft';
import { FormDialog } from './FormDialog';
import { useSubmit } from './useSubmit';

export function AddDialog({ onClose, onOwnChange }: { onClose: () => void; onOwnChange: () => void }) {
  const actions = useBookActions();
  const [fields, setFields] = useState(BLANK);
  const [problems, setProblems] = useState<Problems>({});
  const { busy, trouble, submit } = useSubmit();
  return (
    <FormDialog
      title="Add a book"
      action="Add book"
      busy={busy}
      trouble={trouble}
      onClose={onClose}
      onSubmit={() => {
        const found = check(fields);
        setProblems(found);
        if (Object.keys(found).length > 0) return;
        void submit(async () => {
          // It is on the shelf from now on, whenever the server hears of it.
          const added = actions.add(draftOf(fields));
          onOwnChange();
          await added;
          onClose();
        });
      }}
    >
      <BookFields
        fields={fields}
        problems={problems}
        onChange={(name, value) => {
          setFields({ ...fields, [name]: value });
          setProblems({ ...problems, [name]: undefined });
        }}
      />
    </FormDialog>
  );
}

import { useState } from 'react';
import { useBook } from '../../../sync/react';
import type { OpenDialog } from '../dialogState';
import { AddDialog } from './AddDialog';
import { BookDialog } from './BookDialog';
import { DeleteDialog } from './DeleteDialog';
import { EditDialog } from './EditDialog';
import { LendDialog } from './LendDialog';

interface Props {
  readonly open: OpenDialog;
  readonly onOpen: (dialog: OpenDialog) => void;
  readonly onClose: () => void;
  /** This person added or changed something: the list may move for that. */
  readonly onOwnChange: () => void;
}

export default function Dialogs({ open, onOpen, onClose, onOwnChange }: Props) {
  if (open.kind === 'add') return <AddDialog onClose={onClose} onOwnChange={onOwnChange} />;
  return <OfBook key={`${open.kind} ${open.id}`} open={open} onOpen={onOpen} onClose={onClose} onOwnChange={onOwnChange} />;
}

function OfBook({ open, onOpen, onClose, onOwnChange }: Props & { open: Exclude<OpenDialog, { kind: 'add' }> }) {
  const current = useBook(open.id);
  // As it was when the dialog opened: a dialog does not vanish because somebody deletes its book.
  const [opened] = useState(current);
  if (opened === null) return null;
  const removed = () => {
    onOwnChange();
    onClose();
  };
  const toDelete = () => onOpen({ kind: 'delete', id: open.id });
  switch (open.kind) {
    case 'book':
      return <BookDialog book={opened} onClose={onClose} onGo={(kind) => onOpen({ kind, id: open.id })} />;
    case 'edit':
      return <EditDialog book={opened} onClose={onClose} onDelete={toDelete} onOwnChange={onOwnChange} />;
    case 'lend':
      return <LendDialog book={current ?? opened} onClose={onClose} onOwnChange={onOwnChange} />;
    case 'delete':
      return <DeleteDialog book={current ?? opened} onClose={onClose} onRemoved={removed} />;
  }
}

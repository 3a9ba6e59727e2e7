import { useState } from 'react';
import type { Book } from '../../../sync/book';
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
  /** `removed` is the book that this dialog deleted. */
  readonly onClose: (removed: Book | null) => void;
  /** This person added or changed something: the list may move for that. */
  readonly onOwnChange: () => void;
}

export default function Dialogs({ open, onOpen, onClose, onOwnChange }: Props) {
  const close = () => onClose(null);
  if (open.kind === 'add') return <AddDialog onClose={close} onOwnChange={onOwnChange} />;
  return <OfBook key={`${open.kind} ${open.id}`} open={open} onOpen={onOpen} onClose={onClose} onOwnChange={onOwnChange} />;
}

function OfBook({ open, onOpen, onClose, onOwnChange }: Props & { open: Exclude<OpenDialog, { kind: 'add' }> }) {
  const current = useBook(open.id);
  // As it was when the dialog opened: a dialog does not vanish because somebody deletes its book.
  const [opened] = useState(current);
  if (opened === null) return null;
  const close = () => onClose(null);
  const removed = () => {
    onOwnChange();
    onClose(opened);
  };
  const toDelete = () => onOpen({ kind: 'delete', id: open.id });
  switch (open.kind) {
    case 'book':
      return <BookDialog book={opened} onClose={close} onGo={(kind) => onOpen({ kind, id: open.id })} />;
    case 'edit':
      return <EditDialog book={opened} onClose={close} onDelete={toDelete} onOwnChange={onOwnChange} />;
    case 'lend':
      return <LendDialog book={current ?? opened} onClose={close} onOwnChange={onOwnChange} />;
    case 'delete':
      return <DeleteDialog book={current ?? opened} onClose={close} onRemoved={removed} />;
  }
}

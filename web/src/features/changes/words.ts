import type { Entry, Refusal } from '../../sync';
import { exactly } from '../../ui/time';

export interface FieldChange {
  readonly name: 'title' | 'author' | 'readerName' | 'returnDateTime';
  readonly label: string;
  readonly value: string;
}

const LABELS: Readonly<Record<FieldChange['name'], string>> = { title: 'Title', author: 'Author', readerName: 'Lent to', returnDateTime: 'Return by' };
const NAMES = ['title', 'author', 'readerName', 'returnDateTime'] as const;

/** A field's value for a person; never empty. */
export function shownValue(name: FieldChange['name'], value: string | null): string {
  if (value === null || value === '') return name === 'readerName' ? 'nobody' : 'nothing';
  return name === 'returnDateTime' ? exactly(value) : value;
}

/** What an edit sets, field by field. */
export function fieldsOfEdit({ write }: Entry): readonly FieldChange[] {
  if (write.kind !== 'change') return [];
  return NAMES.flatMap((name) => {
    const value = write.patch[name];
    return value === undefined ? [] : [{ name, label: LABELS[name], value: shownValue(name, value) }];
  });
}

/** The change in a word or two, to stand before the title. */
export function deed({ write, book }: Entry): string {
  switch (write.kind) {
    case 'add':
      return 'Add';
    case 'remove':
      return 'Remove';
    case 'favorite':
      return write.favorite ? 'Give a heart to' : 'Take back the heart from';
    case 'change': {
      const { patch } = write;
      const loan = patch.title === undefined && patch.author === undefined;
      if (loan && patch.readerName === null) return 'Take back';
      if (loan && typeof patch.readerName === 'string') return book?.readerName === patch.readerName ? 'Edit' : 'Lend';
      return 'Edit';
    }
  }
}

export function titleOf({ write, book }: Entry): string {
  return write.kind === 'add' ? write.draft.title : (book?.title ?? 'a book');
}

/** Why a change was refused, for a person. */
export function reason({ kind, message }: Refusal): string {
  switch (kind) {
    case 'changed':
      return 'Somebody changed this book before your change arrived.';
    case 'not-found':
      return message === 'Book not found' ? 'This book is no longer in the library.' : message;
    case 'forbidden':
      return 'You may not do this here.';
    case 'unreachable':
    case 'unavailable':
    case 'too-many':
    case 'unexpected':
      return 'The library did not take it, though it was asked several times.';
    default:
      return message;
  }
}

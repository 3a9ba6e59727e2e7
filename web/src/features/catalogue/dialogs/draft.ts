import { READER_LIMIT, TITLE_LIMIT, type Book, type BookPatch, type Draft } from '../../../sync';
import { fromField, toField } from '../../../ui/time';

/** The form's own state: what stands in its fields. */
export interface Fields {
  readonly title: string;
  readonly author: string;
  readonly readerName: string;
  /** As a datetime-local field writes it. */
  readonly due: string;
}

export type FieldName = keyof Fields;

export const FIELD_NAMES: readonly FieldName[] = ['title', 'author', 'readerName', 'due'];

export const BLANK: Fields = { title: '', author: '', readerName: '', due: '' };

export function fieldsOf(book: Book): Fields {
  return { title: book.title, author: book.author, readerName: book.readerName ?? '', due: toField(book.returnDateTime) };
}

export type Problems = Partial<Record<FieldName, string>>;

// Control characters have no place in a title; the server refuses them too.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

export function check(fields: Fields): Problems {
  const problems: Problems = {};
  for (const name of ['title', 'author'] as const) {
    const value = fields[name].trim();
    if (value === '') problems[name] = name === 'title' ? 'A book needs a title.' : 'A book needs an author.';
    else if (Array.from(value).length > TITLE_LIMIT) problems[name] = `At most ${TITLE_LIMIT} characters.`;
    else if (CONTROL.test(value)) problems[name] = 'This contains characters that cannot be shown.';
  }
  const reader = fields.readerName.trim();
  if (Array.from(reader).length > READER_LIMIT) problems.readerName = `At most ${READER_LIMIT} characters.`;
  else if (CONTROL.test(reader)) problems.readerName = 'This contains characters that cannot be shown.';
  if (fields.due !== '' && fromField(fields.due) === null) problems.due = 'This is not a date.';
  return problems;
}

export function draftOf(fields: Fields): Draft {
  const reader = fields.readerName.trim();
  return {
    title: fields.title.trim(),
    author: fields.author.trim(),
    readerName: reader === '' ? null : reader,
    returnDateTime: fromField(fields.due),
  };
}

/** Only what the person changed, so that nobody's work on another field is undone. */
export function patchOf(fields: Fields, book: Book): BookPatch {
  const draft = draftOf(fields);
  const shown = fieldsOf(book);
  return {
    ...(draft.title === book.title ? {} : { title: draft.title }),
    ...(draft.author === book.author ? {} : { author: draft.author }),
    ...(draft.readerName === book.readerName ? {} : { readerName: draft.readerName }),
    // A field shows minutes; what it shows unchanged is unchanged, seconds and all.
    ...(fields.due === shown.due ? {} : { returnDateTime: draft.returnDateTime }),
  };
}

export interface Merge {
  readonly fields: Fields;
  /** Both this person and somebody else changed these. */
  readonly conflicts: readonly FieldName[];
  /** Somebody else changed these, and they were taken over. */
  readonly taken: readonly FieldName[];
}

/** Takes a book that changed while its form was open: fields that the person left alone follow it, the others are the person's to decide. */
export function merge(fields: Fields, from: Book, to: Book): Merge {
  const before = fieldsOf(from);
  const after = fieldsOf(to);
  const merged: Record<FieldName, string> = { ...fields };
  const conflicts: FieldName[] = [];
  const taken: FieldName[] = [];
  for (const name of FIELD_NAMES) {
    if (before[name] === after[name] || fields[name] === after[name]) continue;
    if (fields[name] === before[name]) {
      merged[name] = after[name];
      taken.push(name);
    } else {
      conflicts.push(name);
    }
  }
  return { fields: merged, conflicts, taken };
}

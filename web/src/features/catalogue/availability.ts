import { loanStatus, type Book, type LoanStatus } from '../../sync';
import { exactly, howOverdue, whenDue } from '../../ui/time';

export interface Availability {
  readonly status: LoanStatus;
  /** "Anna, until Friday". */
  readonly words: string;
  /** The exact moment, for a tooltip; null when there is none. */
  readonly exact: string | null;
}

/** Who has a book and until when, in words. */
export function availability(book: Book, now: number): Availability {
  const status = loanStatus(book, now);
  const { readerName: name, returnDateTime: due } = book;
  const exact = due === null ? null : `Due back ${exactly(due)}`;
  if (status === 'available') return { status, words: 'Available', exact };
  if (status === 'overdue' && due !== null) {
    const late = howOverdue(due, now);
    return { status, words: name === null ? capital(late) : `${name}, ${late}`, exact };
  }
  if (due === null) return { status, words: name === null ? 'Lent' : `With ${name}`, exact };
  return { status, words: name === null ? `Lent until ${whenDue(due, now)}` : `${name}, until ${whenDue(due, now)}`, exact };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

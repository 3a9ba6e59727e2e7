import type { Book } from '../../sync';

export type QuickAction = 'lend' | 'return' | 'edit' | 'delete';

/** What the list tells each of its items; the same for a card and a row. */
export interface ItemProps {
  readonly book: Book;
  /** Position in the whole list, from 0, and its length; only a part of it is in the page. */
  readonly index: number;
  readonly total: number;
  readonly now: number;
  readonly fresh: boolean;
  readonly removed: boolean;
  /** The one item that the Tab key reaches; arrows move it. */
  readonly current: boolean;
  readonly onOpen: (book: Book) => void;
  /** Absent where the view offers no quick actions. */
  readonly onAction?: ((action: QuickAction, book: Book) => void) | undefined;
}

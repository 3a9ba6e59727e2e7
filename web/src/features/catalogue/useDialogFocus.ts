import { useCallback, useEffect, useRef, type RefObject } from 'react';
import type { BookListHandle } from './BookList';
import type { OpenDialog } from './dialogState';

/**
 * Gives the focus back when the last of a row of dialogs closes: to what opened the first one, or
 * to the book that it was about, or, when that book is gone, to the one that took its place. Each
 * dialog's own trap knows only the dialog before it.
 */
export function useDialogFocus(dialog: OpenDialog | null, list: RefObject<BookListHandle | null>) {
  const opener = useRef<Element | null>(null);
  const about = useRef<number | null>(null);
  const wasOpen = useRef(false);

  useEffect(() => {
    const open = dialog !== null;
    if (open === wasOpen.current) return;
    wasOpen.current = open;
    if (open) return;
    const back = opener.current;
    opener.current = null;
    const lost = !(back instanceof HTMLElement) || !back.isConnected || back === document.body;
    if (!lost) back.focus();
    else if (about.current !== null) list.current?.focusBook(about.current);
  }, [dialog, list]);

  /** To be called with each dialog that opens, before it does. */
  const remember = useCallback((next: OpenDialog, first: boolean) => {
    if (first) opener.current = document.activeElement;
    about.current = next.kind === 'add' ? null : next.id;
  }, []);

  return remember;
}

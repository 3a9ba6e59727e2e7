import { useState } from 'react';
import type { Look } from './BookList';

const KEY = 'shelfcast.look';

/** Covers or list; the choice is kept on this device. */
export function useLook(): [Look, (look: Look) => void] {
  const [look, setLook] = useState<Look>(() => (stored() === 'list' ? 'list' : 'covers'));
  return [
    look,
    (next) => {
      setLook(next);
      try {
        localStorage.setItem(KEY, next);
      } catch {
        // Not kept then; the choice holds for this visit.
      }
    },
  ];
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

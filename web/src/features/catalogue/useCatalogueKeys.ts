import { useEffect, type RefObject } from 'react';

interface Keys {
  readonly search: RefObject<HTMLInputElement | null>;
  readonly list: RefObject<HTMLDivElement | null>;
  readonly enabled: boolean;
  /** Null for whoever may not add. */
  readonly onAdd: (() => void) | null;
}

/** `/` searches, `n` adds, `f` gives the focused book a heart. Never while somebody types. */
export function useCatalogueKeys({ search, list, enabled, onAdd }: Keys): void {
  useEffect(() => {
    if (!enabled) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || typing(event.target)) return;
      // Some other dialog is open.
      if (document.querySelector('[aria-modal="true"]') !== null) return;
      if (event.key === '/') {
        event.preventDefault();
        search.current?.focus();
        search.current?.select();
      } else if (event.key === 'n' && onAdd !== null) {
        event.preventDefault();
        onAdd();
      } else if (event.key === 'f') {
        const item = document.activeElement?.closest('[data-book-id]');
        if (item && list.current?.contains(item)) item.querySelector<HTMLElement>('button[aria-label^="Favourite"]')?.click();
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [search, list, enabled, onAdd]);
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export interface Grid {
  readonly columns: number;
  readonly cellWidth: number;
  /** Of a row of covers or one line of the list, with the space beneath it. */
  readonly rowHeight: number;
  readonly gap: number;
}

/** Below the cover: two lines of title, one of author, and the air before the next shelf. */
const CAPTION = 104;
const PHONE = 720;

export function measureGrid(width: number, look: 'covers' | 'list', actions: boolean): Grid {
  if (look === 'list') {
    const narrow = window.innerWidth < PHONE;
    return { columns: 1, cellWidth: width, rowHeight: narrow ? (actions ? 126 : 84) : 64, gap: 0 };
  }
  const gap = width < 560 ? 18 : 32;
  const least = width < 560 ? 130 : 152;
  const columns = Math.max(2, Math.floor((width + gap) / (least + gap)));
  const cellWidth = Math.floor((width - gap * (columns - 1)) / columns);
  return { columns, cellWidth, rowHeight: Math.round(cellWidth * 1.5) + CAPTION, gap };
}

/** Where a key leads from a place in the list; null when it is not a key of the list's. */
export function neighbour(key: string, from: number, columns: number, count: number): number | null {
  const to = target(key, from, columns, count);
  if (to === null) return null;
  return Math.max(0, Math.min(to, count - 1));
}

function target(key: string, from: number, columns: number, count: number): number | null {
  switch (key) {
    case 'ArrowDown':
      // From above a half-filled last shelf, down leads to its last book.
      return from + columns;
    case 'ArrowUp':
      return from - columns < 0 ? (columns === 1 ? 0 : from) : from - columns;
    case 'ArrowRight':
      return columns === 1 ? null : from + 1;
    case 'ArrowLeft':
      return columns === 1 ? null : from - 1;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

import { useEffect, useMemo, useState } from 'react';
import { useActivity } from '../../sync/react';

/** How long a new book keeps its mark. */
export const FRESH_FOR = 8_000;
/** Where everything is new, nothing is marked. */
const MARKED = 12;

const NONE: ReadonlySet<number> = new Set();

/** The ids of books that came in the last seconds. */
export function useFresh(): ReadonlySet<number> {
  const activity = useActivity();
  const [now, setNow] = useState(0);
  const newest = activity[0]?.at ?? 0;
  const fresh = useMemo(() => {
    const ids = new Set<number>();
    const since = Math.max(newest, now) - FRESH_FOR;
    for (const entry of activity) {
      if (entry.at <= since) break;
      if (entry.kind === 'added' && !entry.missed) ids.add(entry.bookId);
    }
    return ids.size > MARKED ? NONE : ids;
  }, [activity, newest, now]);

  useEffect(() => {
    if (fresh.size === 0) return;
    const timer = setTimeout(() => setNow(Date.now()), FRESH_FOR);
    return () => clearTimeout(timer);
  }, [fresh]);
  return fresh;
}

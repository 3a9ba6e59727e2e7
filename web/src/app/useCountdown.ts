import { useEffect, useState } from 'react';

/** Whole seconds until a moment, counted down; null when there is none, or it has come. */
export function useCountdown(until: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (until === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [until]);
  if (until === null) return null;
  const seconds = Math.ceil((until - now) / 1_000);
  return seconds > 0 ? seconds : null;
}

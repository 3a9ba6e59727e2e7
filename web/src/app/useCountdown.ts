import { useEffect, useState } from 'react';

/** Whole seconds until a moment, counted down; null when there is none, or it has come. */
export function useCountdown(until: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (until === null) return;
    const tick = () => setNow(Date.now());
    const first = setTimeout(tick, 0);
    const timer = setInterval(tick, 1_000);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [until]);
  if (until === null) return null;
  const seconds = Math.ceil((until - now) / 1_000);
  return seconds > 0 ? seconds : null;
}

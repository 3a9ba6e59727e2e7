import { useEffect } from 'react';
import type { Activity } from '../../sync/activity';
import { useLibrary } from '../../sync/react';
import { notify } from '../../ui/notify';
import { ICONS, summarise } from './words';

/** What comes within this time is told together. */
const GATHER = 400;

/** Tells what others do, in passing. What this tab did itself was told when it was done. */
export function useRemoteToasts(): void {
  const { activity } = useLibrary();
  useEffect(() => {
    let gathered: Activity[] = [];
    let timer: ReturnType<typeof setTimeout> | null = null;
    const tell = () => {
      timer = null;
      const now = gathered.filter((entry) => !entry.missed);
      const missed = gathered.length - now.length;
      gathered = [];
      if (missed > 0) notify(missed === 1 ? 'Up to date again: 1 change while you were away' : `Up to date again: ${missed} changes while you were away`, { origin: 'remote', icon: 'check' });
      for (const { text, kind } of summarise(now)) notify(text, { origin: 'remote', icon: ICONS[kind] });
    };
    const stop = activity.observe((news) => {
      const remote = news.filter((entry) => !entry.own);
      if (remote.length === 0) return;
      gathered.push(...remote);
      timer ??= setTimeout(tell, GATHER);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [activity]);
}

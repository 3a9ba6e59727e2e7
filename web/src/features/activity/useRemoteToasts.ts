import { useEffect } from 'react';
import type { Activity, ActivityKind } from '../../sync';
import { useLibrary } from '../../sync/react';
import { notify } from '../../ui/notify';
import { ICONS, summaryOf } from './words';

/** What comes within this time is told together. */
const GATHER = 400;
/** A toast is up for so long; what is of its kind is added to it meanwhile. */
const UP = 5_000;

interface Told {
  readonly key: string | number;
  readonly news: readonly Activity[];
  readonly at: number;
}

/** Tells what others do, in passing. What this tab did itself was told when it was done. */
export function useRemoteToasts(): void {
  const { activity } = useLibrary();
  useEffect(() => {
    let gathered: Activity[] = [];
    let timer: ReturnType<typeof setTimeout> | null = null;
    const told = new Map<ActivityKind, Told>();

    const tellKind = (kind: ActivityKind, news: readonly Activity[]) => {
      const before = told.get(kind);
      const up = before !== undefined && Date.now() - before.at < UP ? before : null;
      const all = up === null ? news : [...up.news, ...news];
      const key = notify(summaryOf(kind, all), { origin: 'remote', icon: ICONS[kind], replaces: up?.key });
      told.set(kind, { key, news: all, at: Date.now() });
    };

    const tell = () => {
      timer = null;
      const news = gathered;
      gathered = [];
      const missed = news.filter((entry) => entry.missed).length;
      if (missed > 0) notify(missed === 1 ? 'Up to date again: 1 change while you were away' : `Up to date again: ${missed} changes while you were away`, { origin: 'remote' });
      const kinds = new Set(news.filter((entry) => !entry.missed).map((entry) => entry.kind));
      for (const kind of kinds) tellKind(kind, news.filter((entry) => entry.kind === kind && !entry.missed));
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

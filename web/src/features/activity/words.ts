import type { Activity, ActivityKind } from '../../sync';
import type { IconName } from '../../ui/Icon';
import { whenDue } from '../../ui/time';

export const ICONS: Readonly<Record<ActivityKind, IconName>> = {
  added: 'add',
  removed: 'remove',
  lent: 'lend',
  returned: 'giveBack',
  extended: 'clock',
  edited: 'edit',
  favorited: 'heart',
  unfavorited: 'heart',
};

/** One happening in a sentence, in two halves around the title, so that a view may set the title apart. */
export function sentenceParts(activity: Activity): { before: string; after: string } {
  const { kind, readerName, returnDateTime, at } = activity;
  const until = returnDateTime === null ? '' : ` until ${whenDue(returnDateTime, at)}`;
  switch (kind) {
    case 'added':
      return { before: '', after: ' is new on the shelf' };
    case 'removed':
      return { before: '', after: ' was removed' };
    case 'lent':
      return readerName === null ? { before: '', after: ` is lent${until}` } : { before: `${readerName} has `, after: until };
    case 'returned':
      return readerName === null ? { before: '', after: ' is back' } : { before: `${readerName} brought back `, after: '' };
    case 'extended':
      return returnDateTime === null ? { before: '', after: ' has no return date any more' } : { before: '', after: ` is now due ${whenDue(returnDateTime, at)}` };
    case 'edited':
      return { before: '', after: ' was edited' };
    case 'favorited':
      return { before: 'Somebody likes ', after: '' };
    case 'unfavorited':
      return { before: '', after: ' lost a heart' };
  }
}

export function sentenceOf(activity: Activity): string {
  const { before, after } = sentenceParts(activity);
  const letters = Array.from(activity.title);
  const title = letters.length > 60 ? `${letters.slice(0, 59).join('')}…` : activity.title;
  return `${before}“${title}”${after}`;
}

const GROUPS: Readonly<Record<ActivityKind, (count: number) => string>> = {
  added: (count) => `${count} new books on the shelf`,
  removed: (count) => `${count} books were removed`,
  lent: (count) => `${count} books were lent`,
  returned: (count) => `${count} books came back`,
  extended: (count) => `${count} return dates changed`,
  edited: (count) => `${count} books were edited`,
  favorited: (count) => `${count} new hearts`,
  unfavorited: (count) => `${count} hearts taken back`,
};

/** What a handful of happenings of one kind come to. */
export function summaryOf(kind: ActivityKind, news: readonly Activity[]): string {
  const [only] = news;
  return news.length === 1 && only ? sentenceOf(only) : GROUPS[kind](news.length);
}

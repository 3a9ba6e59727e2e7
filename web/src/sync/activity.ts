import type { Book } from './book';
import type { Difference } from './catalogue';
import { Notifier } from './notifier';

export type ActivityKind = 'added' | 'removed' | 'lent' | 'returned' | 'extended' | 'edited' | 'favorited' | 'unfavorited';

/** One thing that happened, for people. */
export interface Activity {
  /** Unique in this session, rising. */
  readonly key: number;
  readonly kind: ActivityKind;
  readonly bookId: number;
  readonly title: string;
  readonly author: string;
  readonly readerName: string | null;
  readonly returnDateTime: string | null;
  /** Epoch milliseconds at which this app learnt of it. */
  readonly at: number;
  /** Done in this tab. */
  readonly own: boolean;
  /** Learnt from a replay or a fresh snapshot, not as it happened. */
  readonly missed: boolean;
}

const KEPT = 200;

/** What happened while the app was open, newest first. */
export class ActivityLog {
  readonly #notifier = new Notifier(50);
  #entries: readonly Activity[] = [];
  #next = 1;
  readonly #observers = new Set<(news: readonly Activity[]) => void>();

  readonly subscribe = this.#notifier.subscribe;
  readonly entries = (): readonly Activity[] => this.#entries;

  /** Calls back with each batch of news as it comes, oldest first; for announcements. */
  observe(observer: (news: readonly Activity[]) => void): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  record(differences: readonly { difference: Difference; own: boolean; missed: boolean }[], at: number): void {
    const news: Activity[] = [];
    for (const { difference, own, missed } of differences) {
      const kind = activityKind(difference);
      const book = difference.after ?? difference.before;
      if (kind === null || book === null) continue;
      const borrower = kind === 'returned' ? difference.before : book;
      news.push({
        key: this.#next++,
        kind,
        bookId: book.id,
        title: book.title,
        author: book.author,
        readerName: borrower?.readerName ?? null,
        returnDateTime: book.returnDateTime,
        at,
        own,
        missed,
      });
    }
    if (news.length === 0) return;
    this.#entries = [...news.slice(-KEPT).reverse(), ...this.#entries].slice(0, KEPT);
    this.#notifier.notify();
    for (const observer of [...this.#observers]) observer(news);
  }

  stop(): void {
    this.#notifier.cancel();
  }
}

/** The word for a change. Null when nothing that a person would see has changed. */
export function activityKind({ kind, before, after }: Difference): ActivityKind | null {
  if (kind === 'remove') return 'removed';
  if (kind === 'add' || before === null || after === null) return after === null ? null : 'added';
  if (kind === 'favorite') {
    if (after.favoritesCount === before.favoritesCount) return null;
    return after.favoritesCount > before.favoritesCount ? 'favorited' : 'unfavorited';
  }
  const wasOut = isOut(before);
  const nowOut = isOut(after);
  if (wasOut && !nowOut) return 'returned';
  if (nowOut && (!wasOut || before.readerName !== after.readerName)) return 'lent';
  if (before.returnDateTime !== after.returnDateTime) return 'extended';
  return 'edited';
}

function isOut(book: Book): boolean {
  return book.readerName !== null || book.returnDateTime !== null;
}

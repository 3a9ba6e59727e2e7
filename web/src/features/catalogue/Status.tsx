import type { Book } from '../../sync';
import { Glow } from '../../ui/Glow';
import { Icon } from '../../ui/Icon';
import { availability } from './availability';
import styles from './Status.module.css';

/** Who has it and until when: an icon and words, never a colour alone. The exact moment on hover. */
export function Status({ book, now }: { book: Book; now: number }) {
  const { status, words, exact } = availability(book, now);
  return (
    <Glow of={words} className={styles.status}>
      <span className={styles.inner} data-status={status} title={exact ?? undefined}>
        <Icon name={status === 'available' ? 'check' : status === 'overdue' ? 'overdue' : 'clock'} size={15} />
        <span className={styles.words}>
          {status === 'overdue' && <span className="unseen">Overdue: </span>}
          {words}
        </span>
      </span>
    </Glow>
  );
}

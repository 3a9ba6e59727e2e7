import { useId } from 'react';
import { useActivity } from '../../sync/react';
import { Icon } from '../../ui/Icon';
import { ago, exactly } from '../../ui/time';
import { useNow } from '../../ui/useNow';
import styles from './Feed.module.css';
import { ICONS, sentenceParts } from './words';

const SHOWN = 40;

/** What happened since this page was opened, newest first. */
export function Feed() {
  const activity = useActivity();
  const now = useNow(10_000);
  const heading = useId();
  return (
    <section aria-labelledby={heading} className={styles.feed}>
      <h2 id={heading} className={styles.heading}>
        What happened
      </h2>
      {activity.length === 0 ? (
        <p className={styles.quiet}>Nothing since you came. What anybody adds, lends, returns or changes appears here.</p>
      ) : (
        <ol className={styles.list} tabIndex={0} aria-label="Newest first">
          {activity.slice(0, SHOWN).map((entry) => {
            const { before, after } = sentenceParts(entry);
            return (
              <li key={entry.key} className={styles.entry} data-activity={entry.kind} data-fresh={now - entry.at < 2_000 || undefined}>
                <span className={styles.mark}>
                  <Icon name={ICONS[entry.kind]} size={15} />
                </span>
                <span>
                  {before}
                  <cite className={styles.title}>{entry.title}</cite>
                  {after}
                  <time className={styles.time} dateTime={new Date(entry.at).toISOString()} title={exactly(new Date(entry.at).toISOString())}>
                    {ago(entry.at, Math.max(now, entry.at))}
                    {entry.own && ' · you'}
                  </time>
                </span>
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}

import { useState, useSyncExternalStore } from 'react';
import { IconAction } from '../ui/IconAction';
import styles from './DebugDrawer.module.css';
import type { DebugLog } from './debugLog';

/** The last events of the socket, for somebody who looks for a fault. */
export default function DebugDrawer({ log }: { log: DebugLog }) {
  const entries = useSyncExternalStore(log.subscribe, log.entries);
  const [closed, setClosed] = useState(false);
  if (closed) return null;
  return (
    <section aria-label="Debug events" className={styles.drawer}>
      <div className={styles.head}>
        <h2>Events</h2>
        <IconAction label="Close debug events" icon="close" iconSize={16} onClick={() => setClosed(true)} small />
      </div>
      <ol tabIndex={0} aria-label="Newest first">
        {entries.map((entry) => (
          <li key={entry.key}>
            <time>{new Date(entry.at).toISOString().slice(11, 23)}</time> {entry.direction === 'out' ? '→' : '←'} <b>{entry.event}</b>{' '}
            <span>{JSON.stringify(entry.args).slice(1, -1).slice(0, 300)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

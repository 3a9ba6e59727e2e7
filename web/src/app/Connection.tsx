import Tooltip from '@mui/material/Tooltip';
import { useConnection, usePending } from '../sync/react';
import styles from './Connection.module.css';
import { wordFor } from './connectionWords';
import { useCountdown } from './useCountdown';

/** The state of the connection: a dot and a word, here and nowhere else. */
export function Connection() {
  const state = useConnection();
  const changes = usePending().waiting.length;
  const waiting = state.status === 'reconnecting' || state.status === 'offline' ? state : null;
  const seconds = useCountdown(waiting?.nextTry ?? null);
  const detail =
    waiting === null
      ? state.status === 'live'
        ? 'Changes appear as they happen'
        : 'Fetching what happened meanwhile'
      : `Attempt ${waiting.attempt}${seconds === null ? ', trying now' : `, next in ${seconds} s`}`;
  return (
    <Tooltip title={detail}>
      <span role="status" aria-label="Connection" className={styles.connection} data-connection={state.status} data-waiting={changes > 0 ? changes : undefined}>
        <span className={styles.dot} aria-hidden="true" />
        <span>{wordFor(state)}</span>
        {changes > 0 && (
          <span className={styles.count}>
            {changes}
            <span className={styles.wide}> waiting</span>
          </span>
        )}
      </span>
    </Tooltip>
  );
}

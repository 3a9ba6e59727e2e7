import Button from '@mui/material/Button';
import { useConnection, useLibrary, usePending } from '../sync/react';
import { atTime } from '../ui/time';
import { inWords } from './connectionWords';
import styles from './OfflineBanner.module.css';
import { useCountdown } from './useCountdown';

/** Says that what is shown may be old, how old, and what waits here; and, with or without a connection, what was refused. */
export function OfflineBanner({ onChanges }: { onChanges: () => void }) {
  const library = useLibrary();
  const state = useConnection();
  const { waiting, refused } = usePending();
  const seconds = useCountdown(state.status === 'offline' ? state.nextTry : null);
  const offline = state.status === 'offline';
  if (!offline && refused.length === 0) return null;
  const as = library.currentAt();
  const look = waiting.length > 0 || refused.length > 0;
  return (
    <section aria-label={offline ? 'No connection' : 'Refused changes'} className={styles.banner} data-banner={offline ? 'offline' : 'refused'}>
      <p>
        {offline && (
          <>
            <strong>No connection.</strong> {as === null ? 'Nothing could be loaded yet.' : `This is the library as it was at ${atTime(as)}.`}{' '}
          </>
        )}
        {offline && waiting.length > 0 && (
          <span data-waiting-count={waiting.length}>
            {waiting.length === 1 ? '1 change of yours waits here' : `${waiting.length} changes of yours wait here`} until it is back.{' '}
          </span>
        )}
        {refused.length > 0 && (
          <span data-refused-count={refused.length}>
            <strong>{inWords(refused.length, 'change')} refused</strong> by the library and undone here.{' '}
          </span>
        )}
        {offline && !look && <span aria-hidden="true">{seconds === null ? 'Trying again…' : `Next try in ${seconds} s.`}</span>}
      </p>
      <span className={styles.acts}>
        {look && (
          <Button size="small" variant="outlined" color="inherit" onClick={onChanges}>
            Your changes
          </Button>
        )}
        {offline && (
          <Button size="small" variant="outlined" color="inherit" onClick={library.retryNow}>
            Try now
          </Button>
        )}
      </span>
    </section>
  );
}

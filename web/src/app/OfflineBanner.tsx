import Button from '@mui/material/Button';
import { useConnection, useLibrary } from '../sync/react';
import { atTime } from '../ui/time';
import styles from './OfflineBanner.module.css';
import { useCountdown } from './useCountdown';

/** Says that what is shown may be old, how old, and offers to try again. */
export function OfflineBanner() {
  const library = useLibrary();
  const state = useConnection();
  const seconds = useCountdown(state.status === 'offline' ? state.nextTry : null);
  if (state.status !== 'offline') return null;
  const as = library.currentAt();
  return (
    <section aria-label="No connection" className={styles.banner} data-banner="offline">
      <p>
        <strong>No connection.</strong> {as === null ? 'Nothing could be loaded yet.' : `This is the library as it was at ${atTime(as)}.`}{' '}
        <span aria-hidden="true">{seconds === null ? 'Trying again…' : `Next try in ${seconds} s.`}</span>
      </p>
      <Button size="small" variant="outlined" color="inherit" onClick={library.retryNow}>
        Try now
      </Button>
    </section>
  );
}

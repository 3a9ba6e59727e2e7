import Button from '@mui/material/Button';
import { useConnection, useLibrary, usePending, useRecalled, useService } from '../sync/react';
import { asOf } from '../ui/time';
import { useNow } from '../ui/useNow';
import { inWords } from './connectionWords';
import styles from './OfflineBanner.module.css';
import { useCountdown } from './useCountdown';

const LABELS = { offline: 'No connection', recalled: 'Still connecting', service: 'Library in trouble', refused: 'Refused changes' } as const;

/**
 * Says that what is shown may be old, how old, and what waits here, whether the connection is gone or
 * the server behind it is in trouble; and, in any case, what was refused.
 */
export function OfflineBanner({ onChanges }: { onChanges: () => void }) {
  const library = useLibrary();
  const state = useConnection();
  const { waiting, refused } = usePending();
  const seconds = useCountdown(state.status === 'offline' ? state.nextTry : null);
  const now = useNow(10_000);
  const recalled = useRecalled();
  const service = useService();
  const offline = state.status === 'offline';
  const trouble = state.status === 'live' && (!service.writable || service.asOf !== null);
  if (!offline && !recalled && !trouble && refused.length === 0) return null;
  const as = trouble ? service.asOf : library.currentAt();
  const old = as === null ? 'Nothing could be loaded yet.' : `This is the library as it was ${asOf(as, now)}.`;
  const kind = offline ? 'offline' : recalled ? 'recalled' : trouble ? 'service' : 'refused';
  const look = waiting.length > 0 || refused.length > 0;
  return (
    <section aria-label={LABELS[kind]} className={styles.banner} data-banner={kind}>
      <p>
        {offline && (
          <>
            <strong>No connection.</strong> {old}{' '}
          </>
        )}
        {kind === 'recalled' && (
          <>
            <strong>Still connecting.</strong> {old}{' '}
          </>
        )}
        {kind === 'service' && !service.writable && (
          <>
            <strong>Changes cannot be saved just now.</strong> Yours wait here and go out by themselves.{' '}
          </>
        )}
        {kind === 'service' && service.asOf !== null && <>{old} </>}
        {(offline || trouble) && waiting.length > 0 && (
          <span data-waiting-count={waiting.length}>
            {waiting.length === 1 ? '1 change of yours waits here' : `${waiting.length} changes of yours wait here`}
            {offline ? ' until it is back' : ''}.{' '}
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

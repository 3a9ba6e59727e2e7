import { until } from '../ui/time';
import { useNow } from '../ui/useNow';
import styles from './OfflineBanner.module.css';
import { useSessionState } from './useSession';

const SOON = 10 * 60_000;

/** Says in time that the sign-in is about to end, and how to stay. */
export function SignInEnds() {
  const state = useSessionState();
  const now = useNow(15_000);
  if (state.status !== 'in' || state.ends === null || state.ends - now > SOON) return null;
  return (
    <section aria-label="Sign-in" className={styles.banner} data-banner="sign-in-ends">
      <p>
        <strong>Your sign-in ends at {until(state.ends, now)}.</strong> Open a new link, here or in another tab, to stay.
      </p>
    </section>
  );
}

import { useLibrary } from '../sync/react';
import { Icon } from '../ui/Icon';
import { DemoSwitch } from './DemoSwitch';
import styles from './SignedIn.module.css';
import { useSessionState } from './useSession';

/** Who one is: by name where people sign in, by choice in the demo. */
export function WhoIsHere() {
  const state = useSessionState();
  const { identity } = useLibrary();
  if (state.status === 'in' && state.ends === null) return <DemoSwitch />;
  return (
    <span className={styles.who} data-signed-in={identity.userId} title={`Signed in as ${identity.userId}, ${identity.role === 'owner' ? 'an owner' : 'a reader'}`}>
      <Icon name="person" size={16} />
      <span className={styles.name}>{identity.userId}</span>
    </span>
  );
}

import { Icon } from '../../ui/Icon';
import styles from './WaitingMark.module.css';

/** Something that this person did to the book has not reached the server yet. */
export function WaitingMark() {
  return (
    <span className={styles.mark} title="Your change waits on this device until the library can be reached">
      <Icon name="outbox" size={13} />
      Waiting
    </span>
  );
}

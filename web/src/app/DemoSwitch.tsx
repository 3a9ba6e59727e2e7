import { useLibrary } from '../sync/react';
import { Choice } from '../ui/Choice';
import styles from './DemoSwitch.module.css';
import { switchRole } from './identity';

/** Lets anybody be either, and says that this is a demonstration. */
export function DemoSwitch() {
  const { identity } = useLibrary();
  return (
    <div className={styles.demo} title="In this demonstration anybody may be either. Behind a sign-in, a person's role decides.">
      <span className={styles.word}>Demo as</span>
      <Choice
        label="Demo role"
        value={identity.role}
        onChange={switchRole}
        options={[
          { value: 'reader', label: 'Reader' },
          { value: 'owner', label: 'Owner' },
        ]}
      />
    </div>
  );
}

import Button from '@mui/material/Button';
import { useSyncExternalStore } from 'react';
import type { AppUpdate } from './appUpdate';
import styles from './UpdateNotice.module.css';

/** Says that a reload brings a newer version; nothing is reloaded under anybody's hands. */
export function UpdateNotice({ update }: { update: AppUpdate }) {
  const ready = useSyncExternalStore(update.subscribe, update.ready);
  if (!ready) return null;
  return (
    <section aria-label="New version" className={styles.notice} data-update="ready">
      <p>There is a new version of Shelfcast.</p>
      <Button size="small" variant="outlined" color="inherit" onClick={() => location.reload()}>
        Load it
      </Button>
    </section>
  );
}

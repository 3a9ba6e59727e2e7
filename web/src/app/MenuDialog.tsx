import Button from '@mui/material/Button';
import { useColorScheme } from '@mui/material/styles';
import { useId } from 'react';
import { useLibrary } from '../sync/react';
import { Choice } from '../ui/Choice';
import { Icon } from '../ui/Icon';
import { IconAction } from '../ui/IconAction';
import { Sheet, usePhone } from '../ui/Sheet';
import { DemoSwitch } from './DemoSwitch';
import { useSession, useSessionState } from './useSession';
import { until } from '../ui/time';
import { useNow } from '../ui/useNow';
import styles from './MenuDialog.module.css';

const MODES = [
  { value: 'light', label: 'Light', icon: <Icon name="sun" size={16} /> },
  { value: 'dark', label: 'Dark', icon: <Icon name="moon" size={16} /> },
  { value: 'system', label: 'System', icon: <Icon name="system" size={16} /> },
] as const;

export default function MenuDialog({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const { identity } = useLibrary();
  const { mode, setMode } = useColorScheme();
  const phone = usePhone();
  const now = useNow(30_000);
  const session = useSession();
  const state = useSessionState();
  const ends = state.status === 'in' ? state.ends : null;
  const heading = useId();
  return (
    <Sheet open onClose={onClose} aria-labelledby={heading}>
      <div className={styles.menu}>
        <div className={styles.head}>
          <h2 id={heading} className={styles.heading}>
            Shelfcast
          </h2>
          <IconAction label="Close" icon="close" edge="end" onClick={onClose} />
        </div>
        <p className={styles.who}>
          You are <strong>{identity.userId}</strong>, {identity.role === 'owner' ? 'an owner' : 'a reader'}
          {ends === null ? ' in this demonstration.' : `, signed in until ${until(ends, now)}.`}
        </p>
        {phone && ends === null && <DemoSwitch />}
        <div className={styles.setting}>
          <span>Theme</span>
          <Choice label="Theme" options={MODES} value={mode ?? 'system'} onChange={setMode} />
        </div>
        <Button color="inherit" startIcon={<Icon name="keyboard" size={18} />} onClick={onHelp} sx={{ justifySelf: 'start', ml: -1 }}>
          Keyboard shortcuts
        </Button>
        {ends !== null && (
          <Button color="inherit" startIcon={<Icon name="leave" size={18} />} onClick={() => session.signOut()} sx={{ justifySelf: 'start', ml: -1 }}>
            Sign out
          </Button>
        )}
      </div>
    </Sheet>
  );
}

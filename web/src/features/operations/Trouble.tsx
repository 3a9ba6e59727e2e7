import Button from '@mui/material/Button';
import { Icon } from '../../ui/Icon';
import styles from './Section.module.css';

/** Nothing can be shown, and why; trying again is the cure. */
export function Trouble({ text, onRetry }: { text: string; onRetry: () => void }) {
  return (
    <div role="alert" className={styles.trouble}>
      <Icon name="overdue" size={18} />
      <p>{text}</p>
      <Button size="small" variant="outlined" color="inherit" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}

import { useId } from 'react';
import { useLibrary } from '../sync/react';
import { IconAction } from '../ui/IconAction';
import { Sheet } from '../ui/Sheet';
import styles from './MenuDialog.module.css';

const KEYS: readonly [readonly string[], string][] = [
  [['/'], 'Search'],
  [['n'], 'Add a book'],
  [['←', '↑', '↓', '→'], 'Move among the books'],
  [['Enter'], 'Open the book'],
  [['f'], 'Give it a heart, or take it back'],
  [['Esc'], 'Close, or clear the search'],
  [['?'], 'This list'],
];

export default function HelpDialog({ onClose }: { onClose: () => void }) {
  const { mayEdit } = useLibrary().identity;
  const heading = useId();
  return (
    <Sheet open onClose={onClose} aria-labelledby={heading}>
      <div className={styles.menu}>
        <div className={styles.head}>
          <h2 id={heading} className={styles.heading}>
            Keyboard shortcuts
          </h2>
          <IconAction label="Close" icon="close" edge="end" onClick={onClose} />
        </div>
        <dl className={styles.keys}>
          {KEYS.filter(([keys]) => mayEdit || keys[0] !== 'n').map(([keys, does]) => (
            <div key={does} style={{ display: 'contents' }}>
              <dt>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
      </div>
    </Sheet>
  );
}

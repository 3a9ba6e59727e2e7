import { useState, type ReactNode } from 'react';
import styles from './Glow.module.css';

/** Lights up once when `of` changes while it is on the screen; never when it first appears. */
export function Glow({ of, className, children }: { of: string | number | boolean | null; className?: string | undefined; children: ReactNode }) {
  const [seen, setSeen] = useState({ of, changes: 0 });
  if (seen.of !== of) setSeen({ of, changes: seen.changes + 1 });
  const glowing = seen.changes > 0 ? (styles.glow ?? '') : '';
  return (
    <span key={seen.changes} className={[className, glowing].filter(Boolean).join(' ')}>
      {children}
    </span>
  );
}

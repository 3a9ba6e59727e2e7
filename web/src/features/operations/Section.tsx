import { useId, type ReactNode } from 'react';
import styles from './Section.module.css';

interface Props {
  readonly title: string;
  /** For links within the page. */
  readonly id: string;
  /** One sentence under the title. */
  readonly note?: ReactNode;
  /** Beside the title: what one can do. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A part of the page under a heading of its own. */
export function Section({ title, id, note, actions, children }: Props) {
  const heading = useId();
  return (
    <section id={id} aria-labelledby={heading} className={styles.section}>
      <div className={styles.head}>
        <h2 id={heading} className={styles.title}>
          {title}
        </h2>
        {actions}
      </div>
      {note !== undefined && <p className={styles.note}>{note}</p>}
      {children}
    </section>
  );
}

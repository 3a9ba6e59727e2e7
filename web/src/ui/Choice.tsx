import type { ReactNode } from 'react';
import styles from './Choice.module.css';

interface Option<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly icon?: ReactNode;
  readonly count?: number | undefined;
}

interface Props<T extends string> {
  /** The group's name. */
  readonly label: string;
  readonly options: readonly Option<T>[];
  readonly value: T;
  readonly onChange: (value: T) => void;
  /** `segments`: joined in a well; `chips`: apart; `compact`: icons alone. */
  readonly look?: 'segments' | 'chips' | 'compact';
}

/** One of a few, all in sight. */
export function Choice<T extends string>({ label, options, value, onChange, look = 'segments' }: Props<T>) {
  return (
    <div role="group" aria-label={label} className={styles[look]}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          className={styles.option}
          aria-pressed={option.value === value}
          title={look === 'compact' ? option.label : undefined}
          onClick={() => onChange(option.value)}
        >
          {option.icon}
          <span className={look === 'compact' ? 'unseen' : undefined}>{option.label}</span>
          {option.count !== undefined && (
            <span className={styles.count} aria-hidden="true">
              {option.count}
            </span>
          )}
        </button>
      ))}
    </div>
  );
}

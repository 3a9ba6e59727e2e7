import { Choice } from '../../ui/Choice';
import { notify } from '../../ui/notify';
import { Section } from './Section';
import styles from './Section.module.css';
import { reasonOf, useLogLevel, useSetLogLevel, type LogLevel as Level } from './server';
import { Trouble } from './Trouble';

const LEVELS: readonly { readonly value: Level; readonly label: string; readonly means: string }[] = [
  { value: 'debug', label: 'Debug', means: 'Every line, each delivery among them. For minutes, not for days.' },
  { value: 'info', label: 'Info', means: 'Each connection, disconnection and change.' },
  { value: 'warn', label: 'Warnings', means: 'What somebody should look at.' },
  { value: 'error', label: 'Errors', means: 'What failed, and nothing else.' },
];

/** How much the server writes down; it forgets what is chosen here when it stops. */
export function LogLevel() {
  const { data, error, refetch } = useLogLevel();
  const set = useSetLogLevel();
  const level = set.isPending ? set.variables : data;
  return (
    <Section id="log" title="Log" note="What the server writes to its log, until it stops.">
      {data === undefined && error !== null && <Trouble text={reasonOf(error)} onRetry={() => void refetch()} />}
      {level !== undefined && (
        <>
          <Choice label="Log level" value={level} options={LEVELS} onChange={(value) => set.mutate(value, { onError: (cause) => notify(`The log level is as it was. ${reasonOf(cause)}`, { tone: 'trouble' }) })} />
          <p className={styles.note}>{LEVELS.find(({ value }) => value === level)?.means}</p>
        </>
      )}
    </Section>
  );
}

import { Choice } from '../../ui/Choice';
import styles from './Charts.module.css';
import { Chart } from './Chart';
import { timeOfDay } from './format';
import { GROUPS } from './panels';
import { reasonOf, useHistory, type HistoryWindow } from './server';
import { Trouble } from './Trouble';

const STEPS: Readonly<Record<string, number>> = { '1s': 1_000, '1m': 60_000, '1h': 3_600_000 };
const SPANS: Readonly<Record<HistoryWindow, string>> = { '10m': '10 minutes', '24h': '24 hours', '30d': '30 days' };

interface Props {
  readonly window: HistoryWindow;
  readonly onWindow: (window: HistoryWindow) => void;
}

/** All indicators over one span of time: the last minutes as they go, a day, or the month for its review. */
export function Charts({ window, onWindow }: Props) {
  const { data, error, isPlaceholderData, dataUpdatedAt, refetch } = useHistory(window);
  const freshness = error === null ? (data === undefined ? 'loading' : 'fresh') : data === undefined ? 'failed' : 'stale';
  return (
    <section aria-label="Indicators" className={styles.charts} data-freshness={freshness}>
      <div className={styles.bar}>
        <Choice
          label="Span"
          value={window}
          onChange={onWindow}
          options={[
            { value: '10m', label: '10 minutes' },
            { value: '24h', label: 'Day' },
            { value: '30d', label: '30 days' },
          ]}
        />
        <p className={styles.freshness} data-freshness={freshness}>
          {freshness === 'fresh' && (window === '10m' ? 'By the second, as it goes' : window === '24h' ? 'By the minute' : 'By the hour')}
          {freshness === 'loading' && 'Reading the history…'}
          {freshness === 'stale' && `The server does not answer. Last heard at ${timeOfDay(dataUpdatedAt)}`}
        </p>
      </div>
      {freshness === 'failed' ? (
        <Trouble text={`The history could not be read. ${reasonOf(error)}`} onRetry={() => void refetch()} />
      ) : (
        GROUPS.map((group) => (
          <section key={group.title} aria-label={group.title} className={styles.group}>
            <h2 className={styles.heading}>{group.title}</h2>
            <div className={styles.grid} data-dim={freshness === 'stale' || isPlaceholderData || undefined} aria-busy={data === undefined}>
              {group.panels.map((panel) =>
                data === undefined ? (
                  <div key={panel.id} className={styles.skeleton} aria-hidden="true" />
                ) : (
                  <Chart key={panel.id} panel={panel} series={data.series} from={Date.parse(data.from)} step={STEPS[data.step] ?? 1_000} span={SPANS[window]} />
                ),
              )}
            </div>
          </section>
        ))
      )}
    </section>
  );
}

import { useId, useState, type KeyboardEvent, type PointerEvent } from 'react';
import styles from './Chart.module.css';
import { moment } from './format';
import type { Panel } from './panels';
import { ceilingOf, drawArea, drawLine, newest, range, type Value } from './plot';

const WIDTH = 600;
const HEIGHT = 88;
/** A value that is older than so many steps is shown as what was. */
const RECENT = 5;
const DASHES = [undefined, '5 4', '1.5 3.5'] as const;

interface Props {
  readonly panel: Panel;
  readonly series: Readonly<Record<string, readonly Value[]>>;
  /** Of the first value, in epoch milliseconds. */
  readonly from: number;
  /** From one value to the next, in milliseconds. */
  readonly step: number;
  /** The span in words: "10 minutes". */
  readonly span: string;
}

/** One indicator: what it is now, how it went, and under pointer or arrow keys what it was then. */
export function Chart({ panel, series, from, step, span }: Props) {
  const heading = useId();
  const [at, setAt] = useState<number | null>(null);
  const lines = panel.lines.map((line) => ({ ...line, values: series[line.series] ?? [] }));
  const count = Math.max(0, ...lines.map((line) => line.values.length));
  const all = lines.flatMap((line) => line.values);
  const ceiling = ceilingOf(all, panel.least, panel.base);
  const picked = at === null ? null : Math.min(at, count - 1);
  const shown = lines.map(({ values }) => (picked === null ? newest(values) : { value: values[picked] ?? null, age: 0 }));
  // Of what goes wrong, the worst line speaks for the panel; else the first does.
  const [main] = panel.alarming === true ? [...shown].sort((a, b) => (b?.value ?? -1) - (a?.value ?? -1)) : shown;
  const [{ values: mainValues }] = lines as [(typeof lines)[0]];
  const reach = range(panel.alarming === true ? all : mainValues);
  const words = (value: number | null | undefined) => (value === null || value === undefined ? '–' : panel.format(value));
  const spoken = lines.map((line, index) => `${line.label} ${words(shown[index]?.value)}`).join(', ');

  const pick = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    if (box.width > 0) setAt(Math.round(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * (count - 1)));
  };
  const onKey = (event: KeyboardEvent) => {
    const moves: Partial<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -count, End: count };
    const move = moves[event.key];
    if (event.key === 'Escape') setAt(null);
    if (move === undefined || count === 0) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(count - 1, (picked ?? count - 1) + move)));
  };

  return (
    <div role="group" className={styles.chart} aria-labelledby={heading} data-chart={panel.id} data-alarming={panel.alarming === true && (main?.value ?? 0) > 0 ? '' : undefined}>
      <h3 id={heading} className={styles.title} title={panel.help}>
        {panel.title}
      </h3>
      <p className={styles.value} data-old={(main?.age ?? 0) > RECENT || undefined}>
        <span data-value="">{words(main?.value)}</span>
      </p>
      <p className={styles.note}>
        {picked !== null ? moment(from + picked * step, step) : reach === null ? `nothing to measure in ${span}` : `${words(reach.lowest)} to ${words(reach.highest)} in ${span}`}
      </p>
      <div
        className={styles.plot}
        role="slider"
        tabIndex={0}
        aria-labelledby={heading}
        aria-description={panel.help}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, count - 1)}
        aria-valuenow={picked ?? Math.max(0, count - 1)}
        aria-valuetext={`${picked === null ? 'Now' : moment(from + picked * step, step)}: ${spoken}`}
        onPointerMove={pick}
        onPointerLeave={() => setAt(null)}
        onBlur={() => setAt(null)}
        onKeyDown={onKey}
      >
        <span className={styles.scale} aria-hidden="true">
          {panel.format(ceiling)}
        </span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} className={styles.rule} vectorEffect="non-scaling-stroke" />
          <path d={drawArea(mainValues, ceiling, WIDTH, HEIGHT)} className={styles.area} />
          {[...lines.entries()].reverse().map(([index, line]) => (
            <path
              key={line.series}
              d={drawLine(line.values, ceiling, WIDTH, HEIGHT)}
              className={styles.line}
              data-order={index}
              strokeDasharray={DASHES[index]}
              vectorEffect="non-scaling-stroke"
            />
          ))}
          {picked !== null && count > 1 && <path d={`M${(picked / (count - 1)) * WIDTH} 0V${HEIGHT}`} className={styles.cursor} vectorEffect="non-scaling-stroke" />}
        </svg>
      </div>
      {lines.length > 1 && (
        <ul className={styles.legend} aria-hidden="true">
          {lines.map((line, index) => (
            <li key={line.series} data-order={index}>
              <svg width="18" height="6" viewBox="0 0 18 6">
                <path d="M0 3H18" className={styles.line} data-order={index} strokeDasharray={DASHES[index]} />
              </svg>
              {line.label} <b>{words(shown[index]?.value)}</b>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

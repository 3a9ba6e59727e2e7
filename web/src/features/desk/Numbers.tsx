import { HISTORY_SPAN, loanStatus, type Book, type Sample } from '../../sync';
import { useBooks, useCatalogueStatus, useDashboard } from '../../sync/react';
import { Glow } from '../../ui/Glow';
import { useNow } from '../../ui/useNow';
import styles from './Numbers.module.css';
import { drawSpark } from './spark';

const WIDTH = 240;
const HEIGHT = 40;
const SHORTEST_SPAN = 60_000;
const number = new Intl.NumberFormat('en');

/** Four numbers, each with its last minutes. Before the server has told its own, those that the books themselves tell. */
export function Numbers() {
  const { stats, online, history } = useDashboard();
  const books = useBooks();
  const ready = useCatalogueStatus().status === 'ready';
  const now = useNow(5_000);
  let lent = 0;
  let overdue = 0;
  let favorites = 0;
  let best: Book | null = null;
  for (const book of books) {
    favorites += book.favoritesCount;
    if (book.favoritesCount > (best?.favoritesCount ?? 0)) best = book;
    const status = loanStatus(book, now);
    if (status !== 'available') lent += 1;
    if (status === 'overdue') overdue += 1;
  }
  const most = stats === null ? best : stats.mostFavorited;
  return (
    <section aria-label="The library in numbers" className={styles.numbers}>
      <Tile name="books" label="Books" value={stats?.totalBooks ?? (ready ? books.length : undefined)} note="in the library" history={history} pick={(sample) => sample.books} now={now} />
      <Tile
        name="lent"
        label="Lent"
        value={ready ? lent : undefined}
        note={overdue > 0 ? `${overdue} overdue` : 'none overdue'}
        alarming={overdue > 0}
        history={history}
        pick={(sample) => sample.lent}
        now={now}
      />
      <Tile
        name="favorites"
        label="Favourites"
        value={stats?.totalFavorites ?? (ready ? favorites : undefined)}
        note={most !== null ? `most: ${most.title}` : ready ? 'none yet' : ''}
        history={history}
        pick={(sample) => sample.favorites}
        now={now}
      />
      <Tile
        name="online"
        label="Online"
        value={online?.total}
        note={stats === null ? '' : stats.connectedOwners === 1 ? '1 at the desk' : `${stats.connectedOwners} at the desk`}
        history={history}
        pick={(sample) => sample.online}
        now={now}
      />
    </section>
  );
}

interface TileProps {
  readonly name: string;
  readonly label: string;
  readonly value: number | undefined;
  readonly note: string;
  readonly alarming?: boolean;
  readonly history: readonly Sample[];
  readonly pick: (sample: Sample) => number;
  readonly now: number;
}

function Tile({ name, label, value, note, alarming = false, history, pick, now }: TileProps) {
  const latest = Math.max(now, history.at(-1)?.at ?? 0);
  // The first minutes fill the field too.
  const span = Math.max(SHORTEST_SPAN, Math.min(HISTORY_SPAN, latest - (history[0]?.at ?? latest)));
  const spark = drawSpark(
    history.map((sample) => ({ at: sample.at, value: pick(sample) })),
    latest,
    span,
    WIDTH,
    HEIGHT,
  );
  return (
    <div role="group" aria-label={label} className={styles.tile}>
      <span className={styles.label}>{label}</span>
      <Glow of={value ?? null} className={styles.value}>
        <span data-stat={name}>{value === undefined ? '–' : number.format(value)}</span>
      </Glow>
      <span className={styles.note} data-alarming={alarming || undefined} title={note}>
        {note}
      </span>
      <div className={styles.spark}>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={
            spark === null
              ? 'No history yet'
              : spark.lowest === spark.highest
                ? 'Unchanged in the last minutes'
                : `Between ${number.format(spark.lowest)} and ${number.format(spark.highest)} in the last minutes`
          }
        >
          {spark && (
            <>
              <path d={`M0 ${spark.end.y}H${WIDTH}`} className={styles.level} vectorEffect="non-scaling-stroke" />
              <path d={spark.area} className={styles.area} />
              <path d={spark.line} className={styles.line} vectorEffect="non-scaling-stroke" />
            </>
          )}
        </svg>
        {spark && <span className={styles.end} style={{ top: spark.end.y }} />}
      </div>
    </div>
  );
}

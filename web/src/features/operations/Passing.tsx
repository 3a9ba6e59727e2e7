import Button from '@mui/material/Button';
import { useState } from 'react';
import type { PassedEvent } from '../../sync';
import { usePassedEvents } from '../../sync/react';
import { timeOfDay } from './format';
import styles from './Passing.module.css';
import { Section } from './Section';
import sectionStyles from './Section.module.css';

const SHOWN = 40;

/** The server's events as this page gets them, the newest on top; held still on demand. */
export function Passing() {
  const events = usePassedEvents();
  const [held, setHeld] = useState<readonly PassedEvent[] | null>(null);
  const shown = (held ?? events).slice(0, SHOWN);
  const more = held === null ? 0 : events.findIndex(({ key }) => key === held[0]?.key);
  return (
    <Section
      id="events"
      title="Events"
      note="What the server sends to everybody, as it passes by."
      actions={
        <Button size="small" variant="outlined" color="inherit" aria-pressed={held !== null} onClick={() => setHeld(held === null ? events : null)}>
          {held === null ? 'Hold' : more > 0 ? `Go on, ${more} more` : 'Go on'}
        </Button>
      }
    >
      {shown.length === 0 ? (
        <p className={sectionStyles.empty}>Quiet since you came. What anybody adds, lends, returns or likes passes here.</p>
      ) : (
        <ol className={styles.list} tabIndex={0} aria-label="Events, newest first">
          {shown.map((event) => (
            <li key={event.key} data-event={event.event}>
              <time dateTime={new Date(event.at).toISOString()}>{timeOfDay(event.at)}</time>
              <code>{event.event}</code>
              <span className={styles.about}>{event.about}</span>
              <span className={styles.position} title={event.position}>
                {event.position.slice(event.position.lastIndexOf('-') + 1)}
              </span>
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}

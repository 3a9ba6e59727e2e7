import Button from '@mui/material/Button';
import { useId } from 'react';
import type { Entry } from '../../sync';
import { useBook, useConnection, useLibrary, usePending } from '../../sync/react';
import { Icon } from '../../ui/Icon';
import { IconAction } from '../../ui/IconAction';
import { Sheet } from '../../ui/Sheet';
import { ago } from '../../ui/time';
import { useNow } from '../../ui/useNow';
import styles from './ChangesDialog.module.css';
import { deed, fieldsOfEdit, reason, shownValue, titleOf } from './words';

/** What this person did that the server has not taken: what waits, and what it refused, to be decided. */
export default function ChangesDialog({ onClose }: { onClose: () => void }) {
  const { waiting, refused, durable } = usePending();
  const { status } = useConnection();
  const now = useNow(30_000);
  const heading = useId();
  return (
    <Sheet open onClose={onClose} aria-labelledby={heading} maxWidth="sm">
      <div className={styles.changes}>
        <div className={styles.head}>
          <h2 id={heading} className={styles.heading}>
            Your changes
          </h2>
          <IconAction label="Close" icon="close" edge="end" onClick={onClose} />
        </div>
        {refused.length > 0 && (
          <section aria-label="Refused">
            <h3 className={styles.part}>Refused, and undone here</h3>
            <ul className={styles.list}>
              {refused.map((entry) => (
                <Refused key={entry.key} entry={entry} now={now} />
              ))}
            </ul>
          </section>
        )}
        {waiting.length > 0 && (
          <section aria-label="Waiting">
            <h3 className={styles.part}>{status === 'live' ? 'On their way' : 'Waiting for the connection'}</h3>
            <ul className={styles.list}>
              {waiting.map((entry) => (
                <Waiting key={entry.key} entry={entry} now={now} />
              ))}
            </ul>
            <p className={styles.fine}>
              {durable
                ? 'They are kept on this device, also when you close this page, and are sent in this order.'
                : 'This browser keeps nothing: they are lost when you close this page.'}
            </p>
          </section>
        )}
        {waiting.length === 0 && refused.length === 0 && <p className={styles.fine}>Everything has arrived.</p>}
      </div>
    </Sheet>
  );
}

function What({ entry, now }: { entry: Entry; now: number }) {
  return (
    <p className={styles.what}>
      {deed(entry)} <cite>{titleOf(entry)}</cite> <span className={styles.when}>{ago(entry.madeAt, Math.max(now, entry.madeAt))}</span>
    </p>
  );
}

function Waiting({ entry, now }: { entry: Entry; now: number }) {
  const library = useLibrary();
  return (
    <li className={styles.entry} data-change="waiting">
      <Icon name="outbox" size={16} />
      <div className={styles.body}>
        <What entry={entry} now={now} />
        {fieldsOfEdit(entry).map((field) => (
          <p key={field.name} className={styles.fine}>
            {field.label}: {field.value}
          </p>
        ))}
      </div>
      <Button size="small" color="inherit" aria-label={`Discard: ${deed(entry)} ${titleOf(entry)}`} onClick={() => library.discard(entry.key)}>
        Discard
      </Button>
    </li>
  );
}

function Refused({ entry, now }: { entry: Entry; now: number }) {
  const library = useLibrary();
  const current = useBook(entry.write.bookId);
  const conflict = entry.refusal?.kind === 'changed';
  const gone = conflict && current === null;
  return (
    <li className={styles.entry} data-change="refused" data-reason={entry.refusal?.kind}>
      <Icon name="overdue" size={16} />
      <div className={styles.body}>
        <What entry={entry} now={now} />
        <p className={styles.reason}>{gone ? 'This book is no longer in the library.' : entry.refusal && reason(entry.refusal)}</p>
        {conflict && current !== null && <Versions entry={entry} />}
        <div className={styles.choices}>
          {!gone && (
            <Button size="small" variant="outlined" onClick={() => library.retry(entry.key, conflict && current !== null ? current : undefined)}>
              {conflict && entry.write.kind === 'change' ? 'Keep mine' : conflict ? 'Do it all the same' : 'Try again'}
            </Button>
          )}
          <Button size="small" variant="outlined" onClick={() => library.discard(entry.key)}>
            {conflict && entry.write.kind === 'change' && !gone ? 'Take theirs' : 'Discard'}
          </Button>
        </div>
      </div>
    </li>
  );
}

/** Both versions of each field that the edit touches. */
function Versions({ entry }: { entry: Entry }) {
  const current = useBook(entry.write.bookId);
  const fields = fieldsOfEdit(entry);
  if (current === null || fields.length === 0) return null;
  return (
    <table className={styles.versions}>
      <thead>
        <tr>
          <td />
          <th scope="col">Yours</th>
          <th scope="col">Now</th>
        </tr>
      </thead>
      <tbody>
        {fields.map(({ name, label, value }) => (
          <tr key={name} data-conflict={name}>
            <th scope="row">{label}</th>
            <td data-version="mine">{value}</td>
            <td data-version="theirs">{shownValue(name, current[name])}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

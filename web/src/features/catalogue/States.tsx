import Button from '@mui/material/Button';
import Skeleton from '@mui/material/Skeleton';
import { useState } from 'react';
import type { ApiError } from '../../sync';
import { useLibrary } from '../../sync/react';
import { notify } from '../../ui/notify';
import type { Look } from './BookList';
import styles from './States.module.css';
import { sentence } from './useBookActions';

/** The shape of what is coming, so that nothing jumps when it is there. */
export function Loading({ look }: { look: Look }) {
  return (
    <div className={look === 'covers' ? styles.ghostShelf : styles.ghostList} role="status" aria-label="Loading the catalogue">
      {Array.from({ length: look === 'covers' ? 12 : 9 }, (_, place) =>
        look === 'covers' ? (
          <div key={place}>
            <Skeleton variant="rectangular" sx={{ width: '100%', height: 'auto', aspectRatio: '2 / 3', borderRadius: '2px 5px 5px 2px' }} />
            <Skeleton variant="text" sx={{ mt: 1.25, width: '80%' }} />
            <Skeleton variant="text" sx={{ width: '55%' }} />
          </div>
        ) : (
          <div key={place} className={styles.ghostRow}>
            <Skeleton variant="rectangular" width={30} height={44} />
            <div>
              <Skeleton variant="text" sx={{ width: `${38 + ((place * 17) % 34)}%` }} />
              <Skeleton variant="text" sx={{ width: '24%' }} />
            </div>
          </div>
        ),
      )}
    </div>
  );
}

export function Failed({ error }: { error: ApiError }) {
  const library = useLibrary();
  return (
    <Message title="The catalogue is out of reach" role="alert">
      <p>{error.kind === 'unreachable' ? 'The library does not answer. It is tried again by itself, every few seconds.' : error.message}</p>
      <Button variant="contained" onClick={library.retryNow}>
        Try now
      </Button>
    </Message>
  );
}

export function Empty({ onAdd }: { onAdd: () => void }) {
  const library = useLibrary();
  const [busy, setBusy] = useState(false);
  if (!library.identity.mayEdit) {
    return (
      <Message title="An empty shelf" art>
        <p>Nothing is in the library yet. What its owners add appears here at once.</p>
      </Message>
    );
  }
  return (
    <Message title="An empty shelf" art>
      <p>Add the first book, or fill the shelf with fifty classics that belong to everybody.</p>
      <div className={styles.choices}>
        <Button variant="contained" onClick={onAdd}>
          Add the first book
        </Button>
        <Button
          variant="outlined"
          loading={busy}
          onClick={() => {
            setBusy(true);
            library
              .loadSamples()
              .catch((error: unknown) => notify(sentence(error), { tone: 'trouble' }))
              .finally(() => setBusy(false));
          }}
        >
          Load 50 sample books
        </Button>
      </div>
    </Message>
  );
}

export function NothingFound({ text, onClear }: { text: string; onClear: () => void }) {
  return (
    <Message title="Nothing like that here">
      <p>{text === '' ? 'No book is in this state at the moment.' : `No title, author or reader matches “${text}”.`}</p>
      <Button variant="outlined" onClick={onClear}>
        Show all books
      </Button>
    </Message>
  );
}

function Message({ title, role, art = false, children }: { title: string; role?: 'alert'; art?: boolean; children: React.ReactNode }) {
  return (
    <div className={styles.message} role={role}>
      {art && (
        <svg viewBox="0 0 220 90" className={styles.art} aria-hidden="true">
          <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round">
            <path d="M10 78h200" strokeWidth="2.5" />
            <path d="M40 78V26h14v52M54 78V34h11v44M160 78l14-52 13 3.5L174 78" strokeDasharray="3 4" />
            <path d="M96 78c0-22 28-22 28 0" />
            <path d="M110 61v-9m-9 13-6-7m24 7 6-7" />
          </g>
        </svg>
      )}
      <h2>{title}</h2>
      {children}
    </div>
  );
}

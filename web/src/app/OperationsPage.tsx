import { Operations } from '../features/operations/Operations';
import type { Rest } from '../sync';
import { useLibrary } from '../sync/react';
import { PlaceLink } from './PlaceLink';
import styles from './DeskPage.module.css';

/** For owners: how the server does. Everybody else is told so, and shown the way back. */
export default function OperationsPage({ rest }: { rest: Rest }) {
  const { identity } = useLibrary();
  if (identity.role !== 'owner') {
    return (
      <div data-denied="">
        <h1 className={styles.heading}>Operations are the owners’</h1>
        <p className={styles.denied}>
          Here they see how the server does, and who is connected. As a reader, you find all books{' '}
          <PlaceLink to="library">in the library</PlaceLink>
          .
        </p>
      </div>
    );
  }
  return (
    <>
      <h1 className={styles.heading}>Operations</h1>
      <Operations rest={rest} />
    </>
  );
}

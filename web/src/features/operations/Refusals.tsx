import type { Refusal } from '../../contract/openapi';
import { ago, exactly } from '../../ui/time';
import { number } from './format';
import styles from './Refusals.module.css';
import { Section } from './Section';
import sectionStyles from './Section.module.css';
import { reasonOf, useRefusals } from './server';
import { Trouble } from './Trouble';

const KINDS: Readonly<Record<Refusal['kind'], string>> = {
  token: 'Token',
  origin: 'Origin',
  role: 'Role',
  address: 'Blocked address',
  limit: 'Limit',
};

/** Who was turned away, and why: the handbook's audit of connections that nobody allowed. */
export function Refusals() {
  const { data, error, dataUpdatedAt, refetch } = useRefusals();
  return (
    <Section id="refusals" title="Refused" note="Who was turned away since the server started, and why.">
      {data === undefined && error !== null && <Trouble text={reasonOf(error)} onRetry={() => void refetch()} />}
      {data?.length === 0 && <p className={sectionStyles.empty}>Nobody was turned away.</p>}
      {data !== undefined && data.length > 0 && (
        <ul className={styles.list} tabIndex={0} aria-label="Refused, the latest first">
          {data.map((refusal) => (
            <li key={`${refusal.kind} ${refusal.address} ${refusal.userId} ${refusal.detail}`} data-refusal={refusal.kind}>
              <span className={styles.what}>
                <b>{KINDS[refusal.kind]}</b> {refusal.detail}
              </span>
              <span className={styles.who}>
                {refusal.address}
                {refusal.userId !== '' && `, ${refusal.userId}`}
                {refusal.count > 1 && `, ${number(refusal.count)} times`}
              </span>
              <time dateTime={refusal.at} title={exactly(refusal.at)}>
                {ago(Date.parse(refusal.at), dataUpdatedAt)}
              </time>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

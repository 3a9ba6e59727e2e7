import { useId } from 'react';
import { useDashboard, useLibrary } from '../../sync/react';
import { hash } from '../../ui/cover/design';
import { CLOTHS } from '../../ui/cover/design';
import { Icon } from '../../ui/Icon';
import styles from './Online.module.css';

const SHOWN = 8;

/** Who is here, and how many owners watch. */
export function Online() {
  const { online, stats } = useDashboard();
  const { identity } = useLibrary();
  const heading = useId();
  const users = online?.users ?? [];
  const rest = (online?.total ?? 0) - Math.min(users.length, SHOWN);
  return (
    <section aria-labelledby={heading}>
      <div className={styles.head}>
        <h2 id={heading} className={styles.heading}>
          Online now
        </h2>
        {stats !== null && (
          <span className={styles.watching}>
            <Icon name="eye" size={16} />
            <span>
              <span data-watching="">{stats.connectedOwners}</span> {stats.connectedOwners === 1 ? 'watches' : 'watch'} the desk
            </span>
          </span>
        )}
      </div>
      {users.length === 0 ? (
        <p className={styles.quiet}>{online === null ? 'Known once connected.' : 'Nobody yet.'}</p>
      ) : (
        <ul className={styles.people}>
          {users.slice(0, SHOWN).map((user) => {
            const cloth = CLOTHS[hash(user.userId) % CLOTHS.length] ?? CLOTHS[0];
            return (
              <li key={user.userId} className={styles.person} data-online-user={user.userId}>
                <span className={styles.face} style={{ background: cloth.cloth, color: cloth.ink }} aria-hidden="true">
                  {user.userId.replace(/^demoUser/, '').slice(0, 2).toUpperCase()}
                </span>
                <span className={styles.name}>
                  {user.userId}
                  {user.userId === identity.userId && <span className={styles.you}> (you)</span>}
                </span>
                <span className={styles.role}>
                  {user.role}
                  {user.connections > 1 && (
                    <span title={`${user.connections} windows`}>
                      {' '}
                      <span aria-hidden="true">×{user.connections}</span>
                      <span className="unseen">in {user.connections} windows</span>
                    </span>
                  )}
                </span>
              </li>
            );
          })}
          {rest > 0 && <li className={styles.quiet}>and {rest} more</li>}
        </ul>
      )}
    </section>
  );
}

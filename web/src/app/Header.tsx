import { useLibrary } from '../sync/react';
import { usePhone } from '../ui/Sheet';
import { IconAction } from '../ui/IconAction';
import { Connection } from './Connection';
import styles from './Header.module.css';
import { WhoIsHere } from './SignedIn';
import { PlaceLink } from './PlaceLink';

export function Header({ onMenu }: { onMenu: () => void }) {
  const { identity } = useLibrary();
  const phone = usePhone();
  return (
    <header className={styles.header}>
      <div className={styles.inner}>
        <PlaceLink to="library" className={styles.brand}>
          <svg viewBox="0 0 22 22" width="22" height="22" aria-hidden="true">
            <rect x="1" y="3" width="5.2" height="16" rx="1" className={styles.spineA} />
            <rect x="7.6" y="1" width="4.6" height="18" rx="1" className={styles.spineB} />
            <path d="m14 4.5 4-1 3.6 14.4-4 1z" className={styles.spineA} />
          </svg>
          <span>Shelfcast</span>
        </PlaceLink>
        {identity.role === 'owner' && (
          <nav aria-label="Places" className={styles.places}>
            <PlaceLink to="library" marksCurrent>
              Library
            </PlaceLink>
            <PlaceLink to="desk" marksCurrent>
              Desk
            </PlaceLink>
            <PlaceLink to="operations" marksCurrent className={styles.roomy}>
              Operations
            </PlaceLink>
          </nav>
        )}
        <span className={styles.spring} />
        <Connection />
        {!phone && <WhoIsHere />}
        <IconAction label="Menu" icon="menu" edge="end" onClick={onMenu} />
      </div>
    </header>
  );
}

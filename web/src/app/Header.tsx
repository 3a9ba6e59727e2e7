import { useLibrary } from '../sync/react';
import { usePhone } from '../ui/Sheet';
import { IconAction } from '../ui/IconAction';
import { Connection } from './Connection';
import styles from './Header.module.css';
import { WhoIsHere } from './SignedIn';
import { goTo, pathOf, useRoute, type Route } from './route';

export function Header({ onMenu }: { onMenu: () => void }) {
  const { identity } = useLibrary();
  const phone = usePhone();
  return (
    <header className={styles.header}>
      <div className={styles.inner}>
        <a className={styles.brand} href={pathOf('library')} onClick={(event) => follow(event, 'library')}>
          <svg viewBox="0 0 22 22" width="22" height="22" aria-hidden="true">
            <rect x="1" y="3" width="5.2" height="16" rx="1" className={styles.spineA} />
            <rect x="7.6" y="1" width="4.6" height="18" rx="1" className={styles.spineB} />
            <path d="m14 4.5 4-1 3.6 14.4-4 1z" className={styles.spineA} />
          </svg>
          <span>Shelfcast</span>
        </a>
        {identity.role === 'owner' && (
          <nav aria-label="Places" className={styles.places}>
            <Place to="library">Library</Place>
            <Place to="desk">Desk</Place>
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

function Place({ to, children }: { to: Route; children: string }) {
  const route = useRoute();
  return (
    <a href={pathOf(to)} aria-current={route === to ? 'page' : undefined} onClick={(event) => follow(event, to)}>
      {children}
    </a>
  );
}

/** A plain click moves within the page; any other stays the browser's. */
function follow(event: React.MouseEvent, to: Route): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
  event.preventDefault();
  goTo(to);
}

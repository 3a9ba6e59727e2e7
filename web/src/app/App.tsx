import { ThemeProvider } from '@mui/material/styles';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useRemoteToasts } from '../features/activity/useRemoteToasts';
import type { Library, Rest } from '../sync';
import { LibraryProvider, useCatalogueStatus, useLibrary, useRunningLibrary } from '../sync/react';
import { MODE_KEY, theme } from '../theme/theme';
import { useBrowserColor } from '../theme/useBrowserColor';
import { LoadBoundary } from '../ui/LoadBoundary';
import { ToastProvider } from '../ui/notify';
import { Announcer } from './Announcer';
import styles from './App.module.css';
import type { AppUpdate } from './appUpdate';
import type { DebugLog } from './debugLog';
import { Header } from './Header';
import { LibraryPage } from './LibraryPage';
import { OfflineBanner } from './OfflineBanner';
import { useRoute, type Route } from './route';
import type { Session } from './session';
import { SignInEnds } from './SignInEnds';
import { SignInPage } from './SignInPage';
import { UpdateNotice } from './UpdateNotice';
import { SessionProvider, useSessionState } from './useSession';

const DeskPage = lazy(() => import('./DeskPage'));
const OperationsPage = lazy(() => import('./OperationsPage'));
const loadMenu = () => import('./MenuDialog');
const loadHelp = () => import('./HelpDialog');
const loadChanges = () => import('../features/changes/ChangesDialog');
const MenuDialog = lazy(loadMenu);
const HelpDialog = lazy(loadHelp);
const ChangesDialog = lazy(loadChanges);
const DebugDrawer = lazy(() => import('./DebugDrawer'));

const TITLES: Readonly<Record<Route, string>> = { library: 'Shelfcast', desk: 'Desk · Shelfcast', operations: 'Operations · Shelfcast' };

interface Props {
  readonly library: Library;
  readonly session: Session;
  readonly rest: Rest;
  readonly debug?: DebugLog | null;
  readonly update?: AppUpdate | null;
}

export function App({ library, session, rest, debug = null, update = null }: Props) {
  return (
    <ThemeProvider theme={theme} defaultMode="system" modeStorageKey={MODE_KEY} disableTransitionOnChange>
      <SessionProvider value={session}>
        <Door library={library} rest={rest} debug={debug} update={update} />
      </SessionProvider>
    </ThemeProvider>
  );
}

/** Only who is let in gets to the library; for nobody else does it run. */
function Door({ library, rest, debug, update }: Required<Omit<Props, 'session'>>) {
  const state = useSessionState();
  useBrowserColor();
  if (state.status === 'out') return <SignInPage reason={state.reason} />;
  return (
    <LibraryProvider value={library}>
      <ToastProvider>
        <Running library={library} update={update} />
        <Shell userId={library.identity.userId} rest={rest} debug={debug} update={update} />
      </ToastProvider>
    </LibraryProvider>
  );
}

function Running({ library, update }: { library: Library; update: AppUpdate | null }) {
  useRunningLibrary(library);
  // A server that comes back may have brought a new build along.
  useEffect(() => {
    if (update === null) return;
    return library.subscribeConnection(() => {
      if (library.connection().status === 'live') update.check();
    });
  }, [library, update]);
  return null;
}

function Shell({ userId, rest, debug, update }: { userId: string } & Required<Omit<Props, 'library' | 'session'>>) {
  const { identity } = useLibrary();
  const wanted = useRoute();
  // The desk is the owners'; what it shows comes to nobody else. Operations tells others so itself.
  const route = identity.role !== 'owner' && wanted === 'desk' ? 'library' : wanted;
  const { status } = useCatalogueStatus();
  const [open, setOpen] = useState<'menu' | 'help' | 'changes' | null>(null);
  useRemoteToasts();

  // After the first paint, so that they are there when the server is not.
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const load of [loadChanges, loadMenu, loadHelp]) void load().catch(() => undefined);
    }, 1_500);
    return () => clearTimeout(timer);
  }, []);

  useEffect(() => {
    document.title = TITLES[route];
  }, [route]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
      if (event.key !== '?' || typing || document.querySelector('[aria-modal="true"]') !== null) return;
      event.preventDefault();
      setOpen('help');
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  return (
    <>
      <a className={styles.skip} href="#content">
        Skip to the content
      </a>
      <Header onMenu={() => setOpen('menu')} />
      <SignInEnds />
      <OfflineBanner onChanges={() => setOpen('changes')} />
      {update !== null && <UpdateNotice update={update} />}
      <main id="content" tabIndex={-1} className={styles.main} data-catalogue={status} data-user-id={userId}>
        {route === 'library' ? (
          <LibraryPage />
        ) : (
          <LoadBoundary key={route}>
            <Suspense fallback={null}>{route === 'desk' ? <DeskPage /> : <OperationsPage rest={rest} />}</Suspense>
          </LoadBoundary>
        )}
      </main>
      <Announcer />
      <LoadBoundary key={open}>
        <Suspense fallback={null}>
          {open === 'menu' && <MenuDialog onClose={() => setOpen(null)} onHelp={() => setOpen('help')} />}
          {open === 'help' && <HelpDialog onClose={() => setOpen(null)} />}
          {open === 'changes' && <ChangesDialog onClose={() => setOpen(null)} />}
        </Suspense>
      </LoadBoundary>
      {debug !== null && (
        <LoadBoundary>
          <Suspense fallback={null}>
            <DebugDrawer log={debug} />
          </Suspense>
        </LoadBoundary>
      )}
    </>
  );
}

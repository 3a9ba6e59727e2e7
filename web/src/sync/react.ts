import { createContext, useContext, useEffect, useSyncExternalStore } from 'react';
import type { Activity } from './activity';
import type { Book } from './book';
import type { ConnectionState } from './connection';
import type { DashboardState } from './dashboard';
import type { PassedEvent } from './eventLog';
import type { CatalogueStatus, Library, Pending } from './library';
import type { ServiceState } from './service';

const LibraryContext = createContext<Library | null>(null);

/** Hands the library of main.tsx to the views. */
export const LibraryProvider = LibraryContext.Provider;

export function useLibrary(): Library {
  const library = useContext(LibraryContext);
  if (library === null) throw new Error('useLibrary outside of LibraryProvider');
  return library;
}

/** Keeps the library running while the caller is mounted. */
export function useRunningLibrary(library: Library): void {
  useEffect(() => library.retain(), [library]);
}

/** All books, in no particular order; the same array until one of them changes. */
export function useBooks(): readonly Book[] {
  const library = useLibrary();
  return useSyncExternalStore(library.subscribeBooks, library.books);
}

/** One book as it is now; null when there is none. */
export function useBook(id: number): Book | null {
  const library = useLibrary();
  useSyncExternalStore(library.subscribeBooks, library.books);
  return library.book(id);
}

export function useCatalogueStatus(): CatalogueStatus {
  const library = useLibrary();
  return useSyncExternalStore(library.subscribeBooks, library.catalogueStatus);
}

export function useConnection(): ConnectionState {
  const library = useLibrary();
  return useSyncExternalStore(library.subscribeConnection, library.connection);
}

/** Whether the server stores changes, and how old what it shows is. */
export function useService(): ServiceState {
  const library = useLibrary();
  return useSyncExternalStore(library.subscribeConnection, library.service);
}

/** Whether all that is shown is what this device remembers of an earlier visit. */
export function useRecalled(): boolean {
  const library = useLibrary();
  return useSyncExternalStore(library.subscribeConnection, library.recalled);
}

/** Changes that wait for the server, and those that it refused. */
export function usePending(): Pending {
  const library = useLibrary();
  return useSyncExternalStore(library.subscribePending, library.pending);
}

export function useActivity(): readonly Activity[] {
  const { activity } = useLibrary();
  return useSyncExternalStore(activity.subscribe, activity.entries);
}

/** The desk's numbers; the server tells them while somebody uses this. */
export function useDashboard(): DashboardState {
  const { dashboard } = useLibrary();
  useEffect(() => dashboard.watch(), [dashboard]);
  return useSyncExternalStore(dashboard.subscribe, dashboard.state);
}

/** The server's events as they pass by, newest first; listened to while somebody uses this. */
export function usePassedEvents(): readonly PassedEvent[] {
  const { events } = useLibrary();
  useEffect(() => events.watch(), [events]);
  return useSyncExternalStore(events.subscribe, events.entries);
}

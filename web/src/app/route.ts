import { useSyncExternalStore } from 'react';
import { pageAt, PATHS, type Route } from './pages';

export type { Route };

const MOVED = 'shelfcast:moved';

function current(): Route {
  return pageAt(location.pathname) ?? 'library';
}

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener('popstate', listener);
    window.removeEventListener(MOVED, listener);
  };
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}

export function pathOf(route: Route): string {
  return PATHS[route] + location.search;
}

export function goTo(route: Route): void {
  if (current() === route) return;
  history.pushState(null, '', pathOf(route));
  window.scrollTo(0, 0);
  window.dispatchEvent(new Event(MOVED));
}

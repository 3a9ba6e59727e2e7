/** The places of the app, for the router and for the service worker; everything else is the server's own. */
export const PATHS = { library: '/', desk: '/owner', operations: '/operations' } as const;

export type Route = keyof typeof PATHS;

/** The place at a path of the address bar; null where the app has none. */
export function pageAt(path: string): Route | null {
  const plain = path.replace(/\/+$/, '') || '/';
  for (const [route, place] of Object.entries(PATHS)) if (place === plain) return route as Route;
  return null;
}

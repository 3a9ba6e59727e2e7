import { pageAt } from '../app/pages';

/** What the names of the caches begin with; the digest of a build follows. */
export const VERSION_CACHES = 'shelfcast-app-';

/** The network is waited for so long when the page itself is on this device, too; in milliseconds. */
export const PATIENCE = 3_000;

/** What lies beside the page at the root of the server. */
const BESIDE = /^\/[\w-]+\.(js|svg|png|webmanifest)$/;

/**
 * The answer to a request of a page, or null where the worker has no part in it: the data is the
 * business of the sync library, which knows how old it is.
 *
 * - The app's pages come from the network, so that a new build is there at the next load. Without
 *   one, with a broken one, or with a very slow one, it is the page of the build that was taken in.
 * - Parts under /assets/ never change. They come from any build that is kept, else from the
 *   network, and stay.
 * - The few others (icon, manifest, theme.js) are as the pages: the server's, else the kept ones.
 */
export function offline(request: Request, origin: string, cacheName: string): Promise<Response> | null {
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== origin) return null;
  if (url.pathname.startsWith('/assets/')) return part(request, cacheName);
  if (request.mode === 'navigate') return pageAt(url.pathname) === null ? null : networkFirst(request, '/index.html', cacheName);
  return BESIDE.test(url.pathname) ? networkFirst(request, url.pathname, cacheName) : null;
}

async function part(request: Request, cacheName: string): Promise<Response> {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.ok) {
    const cache = await caches.open(cacheName);
    await cache.put(request, response.clone());
  }
  return response;
}

async function networkFirst(request: Request, file: string, cacheName: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(file, { ignoreVary: true });
  const network = fetch(request);
  if (kept === undefined) return network;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), PATIENCE);
  });
  try {
    const response = await Promise.race([network, tooLong]);
    // A proxy whose server is down answers, too.
    return response === null || response.status >= 500 ? kept : response;
  } catch {
    return kept;
  } finally {
    clearTimeout(timer);
    network.catch(() => undefined); // it may fail after nobody waits for it
  }
}

import { offline, VERSION_CACHES } from './offline';

declare const self: ServiceWorkerGlobalScope;
/** Filled in by the build: what the app consists of, and a digest of it. */
declare const SHELFCAST_FILES: readonly string[];
declare const SHELFCAST_BUILD: string;

const cacheName = VERSION_CACHES + SHELFCAST_BUILD;

self.addEventListener('install', (event) => {
  event.waitUntil(install());
});

self.addEventListener('activate', (event) => {
  event.waitUntil(activate());
});

self.addEventListener('fetch', (event) => {
  const answer = offline(event.request, self.location.origin, cacheName);
  if (answer !== null) event.respondWith(answer);
});

/** Takes the whole build in, or nothing: half of one would be a broken app. */
async function install(): Promise<void> {
  const cache = await caches.open(cacheName);
  // Names under /assets/ change with their content; what the browser has of them is right. The others
  // have to come from the server.
  await cache.addAll(SHELFCAST_FILES.map((file) => new Request(file, { cache: file.startsWith('/assets/') ? 'default' : 'reload' })));
  await self.skipWaiting();
}

/** Pages that are open may still want parts of the build before this one; older ones go. */
async function activate(): Promise<void> {
  const builds = (await caches.keys()).filter((name) => name.startsWith(VERSION_CACHES) && name !== cacheName);
  await Promise.all(builds.slice(0, -1).map((name) => caches.delete(name)));
  await self.clients.claim();
}

import { Notifier } from '../sync';

/** A page that stays open for days asks so often whether there is a new build; in milliseconds. */
const CHECK_EVERY = 10 * 60_000;
/** A server that restarts with a new build must not be asked by everybody at once. */
const SPREAD = 30_000;

/**
 * Keeps the app itself on this device (worker/worker.ts), so that it opens without a network, and
 * notices when the server has a newer build than this page.
 */
export class AppUpdate {
  readonly #notifier = new Notifier();
  #ready = false;
  #registration: ServiceWorkerRegistration | null = null;
  #checkedAt = Date.now();
  /** What this page was made of, before it fetched further parts. */
  readonly #parts = partsOf(document);

  readonly subscribe = this.#notifier.subscribe;
  /** Whether a reload would bring a newer build. */
  readonly ready = (): boolean => this.#ready;

  /** Takes the build in when the page has loaded. Without service workers (a page without TLS) it does nothing. */
  start(): void {
    const workers = (navigator as { serviceWorker?: ServiceWorkerContainer }).serviceWorker;
    if (workers === undefined) return;
    workers.addEventListener('controllerchange', () => void this.#compare());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.check();
    });
    const register = () => {
      workers.register('/sw.js', { updateViaCache: 'none' }).then(
        (registration) => (this.#registration = registration),
        () => undefined, // a browser that keeps nothing: the app works, with a network
      );
    };
    if (document.readyState === 'complete') register();
    else window.addEventListener('load', register, { once: true });
  }

  /** A moment at which there may be a new build: it is looked for now and then. */
  readonly check = (): void => {
    if (Date.now() - this.#checkedAt < CHECK_EVERY) return;
    this.#checkedAt = Date.now();
    setTimeout(() => void this.#registration?.update().catch(() => undefined), SPREAD * Math.random());
  };

  /** Another build was taken in: is it this page's own? */
  async #compare(): Promise<void> {
    try {
      const response = await fetch('/', { cache: 'no-cache' });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      const parts = new Set(partsOf(page));
      if (parts.size === 0 || this.#parts.every((part) => parts.has(part))) return;
      this.#ready = true;
      this.#notifier.notify();
    } catch {
      // The network went: the next check tells.
    }
  }
}

function partsOf(page: Document): string[] {
  const parts = page.querySelectorAll('script[src], link[rel="stylesheet"][href]');
  return [...parts].map((part) => part.getAttribute('src') ?? part.getAttribute('href') ?? '');
}

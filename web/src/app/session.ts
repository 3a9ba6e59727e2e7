import type { Identity } from '../sync';
import { demoIdentity } from './identity';

const TOKEN_KEY = 'shelfcast.token';
/** Whose sign-out is not cleared up after yet, or was the last thing that happened here. */
const LEFT_KEY = 'shelfcast.signedOut';
const FRAGMENT = '#token=';

/** What a token says. It is the server that checks it; here it only tells what to show. */
export interface Claims {
  readonly userId: string;
  readonly role: Identity['role'];
  /** Epoch milliseconds. */
  readonly ends: number;
}

export type SessionState =
  /** With `ends: null` nobody is signed in, because this server may not ask for it. */
  | { readonly status: 'in'; readonly ends: number | null }
  /** `needed`: the server asks and nobody is signed in. `refused`: it does not take what this browser has. `left`: signed out. */
  | { readonly status: 'out'; readonly reason: 'needed' | 'expired' | 'refused' | 'left' };

/** The part of the official client's socket that is used here. */
export interface SessionSocket {
  readonly connected: boolean;
  on(event: 'connect_error', listener: (error: Error) => void): unknown;
  emit(event: 'renew', data: { token: string }): unknown;
}

/**
 * Who is signed in on this browser: a token, brought by a link's fragment, which no server sees, and
 * kept in localStorage for all tabs (docs/adr/0016). Without one the person is a demo's; a server
 * that asks for tokens then says so. Made once, before anything connects.
 */
export class Session {
  readonly identity: Identity;
  #token: string | null;
  #claims: Claims | null;
  #state: SessionState;
  #socket: SessionSocket | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #reload: () => void;

  constructor(reload: () => void = () => location.reload()) {
    this.#reload = reload;
    this.#token = takeFromAddress() ?? read(TOKEN_KEY);
    this.#claims = this.#token === null ? null : claimsOf(this.#token);
    if (this.#token !== null && this.#claims !== null) {
      write(TOKEN_KEY, this.#token);
      write(LEFT_KEY, null);
      const { userId, role, ends } = this.#claims;
      this.identity = { userId, role, mayEdit: role === 'owner' };
      this.#state = { status: 'in', ends };
    } else {
      this.identity = demoIdentity(location.pathname.replace(/\/+$/, '') || '/');
      this.#state = this.#token !== null ? { status: 'out', reason: 'refused' } : read(LEFT_KEY) !== null ? { status: 'out', reason: 'left' } : { status: 'in', ends: null };
      this.#token = null;
    }
    window.addEventListener('storage', this.#heard);
    window.addEventListener('hashchange', this.#moved);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly state = (): SessionState => this.#state;
  readonly token = (): string | null => this.#token;

  /** Who signed out here before this page was loaded, and left traces to be removed. */
  get left(): string | null {
    return read(LEFT_KEY);
  }

  /** Follows what the server says of the token on this socket, and renews it there. */
  attach(socket: SessionSocket): void {
    this.#socket = socket;
    socket.on('connect_error', (error) => {
      if (error.message === 'Authentication error') this.refused();
    });
  }

  /** The server does not believe the token, or wants one. */
  readonly refused = (): void => {
    if (this.#state.status === 'out') return;
    const reason = this.#claims === null ? 'needed' : this.#claims.ends <= Date.now() ? 'expired' : 'refused';
    this.#set({ status: 'out', reason });
  };

  /** Ends the sign-in in all tabs of this browser. The page is loaded anew, so that nothing of it stays in memory. */
  signOut(): void {
    write(LEFT_KEY, this.identity.userId);
    write(TOKEN_KEY, null);
    history.replaceState(null, '', '/');
    this.#reload();
  }

  /** Asks the server once more, with what this browser has. */
  tryAgain(): void {
    write(LEFT_KEY, null);
    this.#reload();
  }

  stop(): void {
    window.removeEventListener('storage', this.#heard);
    window.removeEventListener('hashchange', this.#moved);
  }

  /** Another tab took a link, or signed out. */
  readonly #heard = (event: StorageEvent): void => {
    if (event.key !== TOKEN_KEY) return;
    if (event.newValue === null) this.#reload();
    else this.#take(event.newValue);
  };

  /** A link was opened in this tab, while the page was there. */
  readonly #moved = (): void => {
    const token = takeFromAddress();
    if (token === null) return;
    if (claimsOf(token) !== null) write(TOKEN_KEY, token);
    this.#take(token);
  };

  /** A later token of the same person with the same rights goes on here; for anybody else the page begins anew. */
  #take(token: string): void {
    const claims = claimsOf(token);
    if (claims === null || token === this.#token) return;
    if (this.#state.status === 'out' || this.#claims === null || claims.userId !== this.#claims.userId || claims.role !== this.#claims.role) {
      this.#reload();
      return;
    }
    this.#token = token;
    this.#claims = claims;
    if (this.#socket?.connected === true) this.#socket.emit('renew', { token });
    this.#set({ status: 'in', ends: claims.ends });
  }

  #set(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** Reads the middle part of a token; null when it is none, or says nothing that is needed here. */
export function claimsOf(token: string): Claims | null {
  const part = token.split('.')[1];
  if (part === undefined) return null;
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
    const { sub, userId, role, exp } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const id = sub ?? userId;
    if (typeof id !== 'string' || id === '' || typeof exp !== 'number' || (role !== 'reader' && role !== 'owner')) return null;
    return { userId: id, role, ends: exp * 1_000 };
  } catch {
    return null;
  }
}

/** The token of a link, which leaves the address at once: it would be in every copy and picture of it. */
function takeFromAddress(): string | null {
  if (!location.hash.startsWith(FRAGMENT)) return null;
  const token = location.hash.slice(FRAGMENT.length);
  history.replaceState(null, '', location.pathname + location.search);
  return token;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing stays signed in until the page is left.
  }
}

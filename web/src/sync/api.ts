import { parseBook, type Book, type BookPatch, type Draft } from './book';
import type { Snapshot } from './catalogue';
import { parsePosition, type Position } from './position';

export type ApiErrorKind =
  | 'unreachable'
  | 'invalid'
  | 'forbidden'
  /** The server does not know who asks. It may after signing in again, so a change waits for that. */
  | 'unauthenticated'
  | 'not-found'
  | 'conflict'
  | 'changed'
  | 'too-many'
  | 'unavailable'
  | 'unexpected'
  /** Too many changes wait on this device already; never sent. */
  | 'full';

/** Whether the same call may succeed later by itself. The others fail however often they are made. */
export function isTransient(kind: ApiErrorKind): boolean {
  return kind === 'unauthenticated' || kind === 'unreachable' || kind === 'too-many' || kind === 'unavailable' || kind === 'unexpected';
}

/** Why a call failed, in a word to decide by and a sentence to show. */
export class ApiError extends Error {
  readonly kind: ApiErrorKind;
  /** Seconds after which the server would answer again, when it said so. */
  readonly retryAfter: number | null;
  /** With `changed`: the book as it is now, when the server sent it along. */
  readonly current: Book | null;

  constructor(kind: ApiErrorKind, message: string, details: { retryAfter?: number | null; current?: Book | null; cause?: unknown } = {}) {
    super(message, { cause: details.cause });
    this.name = 'ApiError';
    this.kind = kind;
    this.retryAfter = details.retryAfter ?? null;
    this.current = details.current ?? null;
  }
}

/** The answer to a write, with the position at which it is in the log when the server tells. */
export interface Answered<T> {
  readonly value: T;
  readonly position: Position | null;
}

/**
 * The REST calls that the app makes. Each rejects with ApiError and nothing else. `key` is the
 * Idempotency-Key of a write, `seen` the version that the person looked at: when the server's is a
 * later one, the write is refused with `changed`.
 */
export interface Api {
  snapshot(signal: AbortSignal): Promise<Snapshot>;
  book(id: number): Promise<Book>;
  add(draft: Draft, key: string): Promise<Answered<Book>>;
  change(id: number, patch: BookPatch, seen: Position | null, key: string): Promise<Answered<Book>>;
  remove(id: number, seen: Position | null, key: string): Promise<Answered<null>>;
  /** Sets, never toggles: saying it twice changes nothing. */
  setFavorite(id: number, favorite: boolean, key: string): Promise<Answered<number>>;
  loadSamples(): Promise<void>;
}

const KINDS: Readonly<Record<number, ApiErrorKind>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  412: 'changed',
  413: 'invalid',
  429: 'too-many',
  503: 'unavailable',
};

/** How long a call may take. A server that takes longer is as good as away. */
const CALL_TIMEOUT = 20_000;

/** How a person proves who they are. */
export interface Bearer {
  /** The token to send now; null: there is none, and a header names the person, as a demo's server takes it. */
  token(): string | null;
  /** The server did not take it, or wants one. */
  refused(): void;
}

/** `base` is the server's origin, or '' for the page's own. */
export function createApi(base: string, userId: string, role: string, bearer?: Bearer): Api {
  async function call(method: string, path: string, options: { body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {}) {
    const token = bearer?.token() ?? null;
    const headers: Record<string, string> = { ...(token === null ? { 'X-User-Id': userId } : { Authorization: `Bearer ${token}` }), ...options.headers };
    if (options.body !== undefined) headers['Content-Type'] = 'application/json';
    const timeout = AbortSignal.timeout(CALL_TIMEOUT);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    let response: Response;
    let body: unknown;
    try {
      response = await fetch(base + path, {
        method,
        headers,
        signal,
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      });
      body = await readJSON(response);
    } catch (cause) {
      throw new ApiError('unreachable', 'The library cannot be reached just now.', { cause });
    }
    // An answer to a token that was renewed meanwhile says nothing of the new one.
    if (response.status === 401 && (bearer?.token() ?? null) === token) bearer?.refused();
    if (!response.ok) throw failure(response, body);
    // The server says something to everything. This was a network's sign-in page, or a broken proxy.
    if (body === null) throw new ApiError('unexpected', 'Something else answered in the place of the library.');
    return { body, position: parsePosition(response.headers.get('Shelfcast-Position')) };
  }

  function failure(response: Response, body: unknown): ApiError {
    const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
    const said = [fields.detail, fields.error, fields.title].find((part) => typeof part === 'string' && part !== '');
    const seconds = Number(response.headers.get('Retry-After'));
    return new ApiError(KINDS[response.status] ?? 'unexpected', typeof said === 'string' ? said : 'Something went wrong on the server.', {
      retryAfter: Number.isFinite(seconds) && seconds > 0 ? seconds : null,
      current: parseBook(fields.current ?? fields.book, userId),
    });
  }

  function bookFrom(body: unknown): Book {
    const book = parseBook(body, userId);
    if (book === null) throw new ApiError('unexpected', 'The server sent something that is not a book.');
    return book;
  }

  return {
    async snapshot(signal) {
      const { body, position } = await call('GET', '/books', { signal });
      if (!Array.isArray(body)) throw new ApiError('unexpected', 'The server sent something that is not a catalogue.');
      const books: Book[] = [];
      for (const entry of body as unknown[]) {
        const book = parseBook(entry, userId);
        if (book !== null) books.push(book);
      }
      return { books, position };
    },
    async book(id) {
      const { body } = await call('GET', `/books/${id}`);
      return bookFrom(body);
    },
    async add(draft, key) {
      const { body, position } = await call('POST', '/books', { body: draft, headers: { 'Idempotency-Key': key } });
      return { value: bookFrom(body), position };
    },
    async change(id, patch, seen, key) {
      const { body, position } = await call('PATCH', `/books/${id}`, { body: patch, headers: { 'Idempotency-Key': key, ...ifMatch(seen) } });
      return { value: bookFrom(body), position };
    },
    async remove(id, seen, key) {
      const { position } = await call('DELETE', `/books/${id}`, { headers: { 'Idempotency-Key': key, ...ifMatch(seen) } });
      return { value: null, position };
    },
    async setFavorite(id, favorite, key) {
      const { body, position } = await call(favorite ? 'PUT' : 'DELETE', `/books/${id}/favorite`, { body: { userId }, headers: { 'Idempotency-Key': key } });
      const count = (body as Record<string, unknown> | null)?.favoritesCount;
      if (typeof count !== 'number') throw new ApiError('unexpected', 'The server sent no count.');
      return { value: count, position };
    },
    async loadSamples() {
      await call('POST', `/samples?role=${encodeURIComponent(role)}`);
    },
  };
}

function ifMatch(seen: Position | null): Record<string, string> {
  // The last part counts favourites, which do not matter here.
  return seen === null ? {} : { 'If-Match': `"${seen.epoch}-${seen.sequence}-0"` };
}

async function readJSON(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

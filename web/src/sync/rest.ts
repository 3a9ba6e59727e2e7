import type { Calls } from '../contract/openapi';
import { parseBook, type Book } from './book';
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

/** A call of the contract, by method and path. */
export type Call = keyof Calls;

/** What goes into a call, as the contract has it. */
type Given<K extends Call> = Pick<Calls[K], keyof Calls[K] & ('path' | 'query' | 'body')>;

interface Extras {
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** Goes on when the page is left; for little bodies only. */
  readonly keepalive?: boolean;
}

/** Nothing needs to be given where nothing is required. */
type Input<K extends Call> = Partial<Given<K>> extends Given<K> ? [input?: Given<K> & Extras] : [input: Given<K> & Extras];

export interface Reply<K extends Call> {
  /** As the contract types it. The server is believed; what a wrong answer must not break is parsed besides. */
  readonly body: Calls[K]['answer'];
  /** Where the server's catalogue was, when it told. */
  readonly position: Position | null;
}

/** Makes one call. Rejects with ApiError and nothing else. */
export type Rest = <K extends Call>(name: K, ...input: Input<K>) => Promise<Reply<K>>;

/** `base` is the server's origin, or '' for the page's own. */
export function createRest(base: string, userId: string, bearer?: Bearer): Rest {
  return async (name, ...[input]) => {
    const { path, query, body, headers: extra, signal: given, keepalive = false } = (input ?? {}) as Extras & {
      path?: Record<string, string | number>;
      query?: Record<string, string | number>;
      body?: unknown;
    };
    const [method, template] = name.split(' ') as [string, string];
    const token = bearer?.token() ?? null;
    const headers: Record<string, string> = { ...(token === null ? { 'X-User-Id': userId } : { Authorization: `Bearer ${token}` }), ...extra };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const timeout = AbortSignal.timeout(CALL_TIMEOUT);
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(base + address(template, path, query), {
        method,
        headers,
        keepalive,
        signal: given ? AbortSignal.any([given, timeout]) : timeout,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      answer = await readJSON(response);
    } catch (cause) {
      throw new ApiError('unreachable', 'The library cannot be reached just now.', { cause });
    }
    // An answer to a token that was renewed meanwhile says nothing of the new one.
    if (response.status === 401 && (bearer?.token() ?? null) === token) bearer?.refused();
    if (!response.ok) throw failure(response, answer, userId);
    // The server says something to everything. This was a network's sign-in page, or a broken proxy.
    if (answer === null) throw new ApiError('unexpected', 'Something else answered in the place of the library.');
    return { body: answer as never, position: parsePosition(response.headers.get('Shelfcast-Position')) };
  };
}

function address(template: string, path: Record<string, string | number> = {}, query: Record<string, string | number> = {}): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
  return search === '' ? filled : `${filled}?${search}`;
}

function failure(response: Response, body: unknown, userId: string): ApiError {
  const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const said = [fields.detail, fields.error, fields.title].find((part) => typeof part === 'string' && part !== '');
  const seconds = Number(response.headers.get('Retry-After'));
  return new ApiError(KINDS[response.status] ?? 'unexpected', typeof said === 'string' ? said : 'Something went wrong on the server.', {
    retryAfter: Number.isFinite(seconds) && seconds > 0 ? seconds : null,
    current: parseBook(fields.current ?? fields.book, userId),
  });
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

/** What a person may know about the connection; each state carries only its own facts. Times are epoch milliseconds. */
export type ConnectionState =
  | { readonly status: 'live' }
  | { readonly status: 'catching-up'; readonly first: boolean }
  | { readonly status: 'reconnecting'; readonly attempt: number; readonly nextTry: number | null }
  | { readonly status: 'offline'; readonly since: number; readonly attempt: number; readonly nextTry: number | null };

/** The part of the official client's socket that is used here; tests script one of their own. */
export interface LiveSocket {
  readonly connected: boolean;
  readonly recovered: boolean;
  connect(): unknown;
  disconnect(): unknown;
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  emit(event: string, ...args: unknown[]): unknown;
}

// The official client types its listeners this way.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Listener = (...args: any[]) => void;

const FIRST_DELAY = 500;
const LONGEST_DELAY = 5_000;
const LONGEST_DELAY_HIDDEN = 30_000;

/** How long to wait before attempt number `attempt` (from 1): doubling, with half of it left to chance so that a crowd spreads. */
export function reconnectDelay(attempt: number, hidden: boolean, random: () => number): number {
  const longest = hidden ? LONGEST_DELAY_HIDDEN : LONGEST_DELAY;
  const delay = Math.min(longest, FIRST_DELAY * 2 ** Math.min(attempt - 1, 16));
  return delay / 2 + (delay / 2) * random();
}

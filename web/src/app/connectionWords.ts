import type { ConnectionState } from '../sync';

/** "3 changes", "1 change". */
export function inWords(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** The state in a word. */
export function wordFor(state: ConnectionState): string {
  switch (state.status) {
    case 'live':
      return 'Live';
    case 'catching-up':
      return state.first ? 'Connecting' : 'Catching up';
    case 'reconnecting':
      return 'Reconnecting';
    case 'offline':
      return 'Offline';
  }
}

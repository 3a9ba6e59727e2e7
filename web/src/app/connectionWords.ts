import type { ConnectionState } from '../sync/connection';

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

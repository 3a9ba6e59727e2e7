import type { ServerEvents } from '../contract/asyncapi';

/** How the server does that this client is connected to. */
export interface ServiceState {
  /** Whether it stores changes; while it does not, they wait here. */
  readonly writable: boolean;
  /** When what it shows was last known to be the newest there is, in epoch milliseconds; null: it is. */
  readonly asOf: number | null;
}

/** What silence after a connection means. */
export const ALL_IS_WELL: ServiceState = { writable: true, asOf: null };

/** Reads a `serviceStatus`; null for what is none. */
export function readServiceStatus(status: Partial<ServerEvents['serviceStatus']>[0]): ServiceState | null {
  if (typeof status !== 'object' || typeof status.writable !== 'boolean') return null;
  const asOf = typeof status.asOf === 'string' ? Date.parse(status.asOf) : NaN;
  return { writable: status.writable, asOf: Number.isNaN(asOf) ? null : asOf };
}

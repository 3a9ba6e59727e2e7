/** The library's public face; see README.md. Views in React import `./react` besides. */
export type { Activity, ActivityKind } from './activity';
export { createApi, type Answered, type Api } from './api';
export { loanStatus, READER_LIMIT, TITLE_LIMIT, type Book, type BookPatch, type Draft, type LoanStatus } from './book';
export type { Snapshot } from './catalogue';
export type { ConnectionState, LiveSocket } from './connection';
export { HISTORY_SPAN, type DashboardState, type DashboardStats, type OnlineUser, type Sample } from './dashboard';
export type { PassedEvent } from './eventLog';
export { Library, OFFLINE_AFTER, type CatalogueStatus, type Identity, type LibraryOptions, type Pending, type Written } from './library';
export { webLocks, type Locks } from './locks';
export { Notifier } from './notifier';
export { OUTBOX_LIMIT } from './outbox';
export { LocalOutboxStore, type OutboxStore } from './outboxStore';
export type { Entry, Refusal, Write } from './pending';
export { parsePosition, type Position } from './position';
export { ApiError, createRest, isTransient, type ApiErrorKind, type Bearer, type Rest } from './rest';
export type { ServiceState } from './service';
export { IndexedSnapshotStore, type KeptSnapshot, type SnapshotStore } from './snapshotStore';

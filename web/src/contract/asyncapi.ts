// Written from /asyncapi.json by `make generate`; a test fails when it differs.

import type { BatchEntry, Book, DashboardStats } from './openapi';

/** A favorite, asked for over the socket */
export interface CustomEvent {
  action: 'favorite' | 'unfavorite';
  /** A whole number, or its digits. */
  bookId: number | string;
}

/** Answer to customEvent */
export interface CustomEventAnswer {
  /** Why nothing was changed. */
  error?: string;
  /** How many favorites the book has now. */
  favoritesCount?: number | null;
}

/** Favorites of a book */
export interface FavoriteUpdated {
  bookId: number;
  favoritesCount: number;
}

/** A connected person */
export interface OnlineUser {
  connections: number;
  role: 'reader' | 'owner';
  userId: string;
}

/** A later token */
export interface Renew {
  token: string;
}

/** Answer to renew */
export interface RenewAnswer {
  /** Why the former token still counts. */
  error?: string;
  /** When the token ends, in seconds since 1970. */
  exp?: number | null;
}

/** How the node does */
export interface ServiceStatus {
  /** When what this node shows was last known to be the newest there is; null: it is. */
  asOf: string | null;
  /** What is wrong. */
  detail?: string;
  /** Whether a change would be stored. While it would not, changes are refused; it heals by itself. */
  writable: boolean;
}

/** Up to date */
export interface Synced {
  /** How many events were replayed. */
  missed: number;
  position: string;
  /** Whether what was missed came as events just before. */
  recovered: boolean;
}

/** Who is online */
export interface UserStatus {
  /** How many people are connected. */
  total: number;
  users: OnlineUser[];
}

/** What the server sends: each event's arguments. */
export interface ServerEvents {
  /** What has changed since the batch before. */
  batchUpdate: [changes: BatchEntry[], position: string];
  /** A book was added. */
  bookAdded: [book: Book, position: string];
  /** A book was deleted. */
  bookDeleted: [book: Book, position: string];
  /** A book was changed. */
  bookUpdated: [book: Book, position: string];
  /** The dashboard's numbers: at once on joining, then at most ten times a second. */
  dashboardStats: [dashboardStats: DashboardStats];
  /** What it sent was refused. */
  error: [text: string, position: string];
  /** A book has more or fewer favorites. */
  favoriteUpdated: [favoriteUpdated: FavoriteUpdated, position: string];
  /** Fetch GET /books again. */
  reconnect: [attempt: number];
  /** Whether the node that the client is connected to can store changes, and how old what it shows is. */
  serviceStatus: [serviceStatus: ServiceStatus];
  /** The client is up to date with a position, and gets every event after it. */
  synced: [synced: Synced, position: string];
  /** Who is connected: at most once a second, at most 200 people. */
  userStatus: [userStatus: UserStatus];
}

/** What a client sends: each event's arguments, and those of the acknowledgement. */
export interface ClientEvents {
  /** Give or take back one's favorite. */
  customEvent: { arguments: [customEvent: CustomEvent]; answer: [customEventAnswer: CustomEventAnswer] };
  /** Start to get dashboardStats and userStatus, both at once the first time. Joining twice counts once. */
  ownerJoinDashboard: { arguments: []; answer: never };
  /** Stop to get them. A disconnect counts as leaving. */
  ownerLeaveDashboard: { arguments: []; answer: never };
  /** Stay signed in with a later token of the same user. Its rights count at once; a token that is refused changes nothing. */
  renew: { arguments: [renew: Renew]; answer: [renewAnswer: RenewAnswer] };
}

// Written from /openapi.json by `make generate`; a test fails when it differs.

/** Books added */
export interface Added {
  /** How many books were added. */
  added: number;
}

/** Backup */
export interface Backup {
  ageSeconds: number;
  books: number;
  bytes: number;
  createdAt: string;
  /** Why its manifest cannot be believed; empty if it can. */
  fault: string;
  /** Whether nothing is known to be wrong with it. */
  good: boolean;
  name: string;
  /** Of the catalogue that it holds. */
  position: string;
  reason: 'manual' | 'scheduled' | 'before-restore' | 'before-repair' | 'before-move' | '';
  /** The last verification since the server's start; null: none. */
  verified: BackupVerification;
}

/** Report on a backup */
export interface BackupReport {
  /** What is wrong; empty if nothing is. */
  faults: string[];
  name: string;
  ok: boolean;
}

/** Verification of a backup */
export type BackupVerification = {
  at: string;
  ok: boolean;
} | null;

/** One change of a batch */
export interface BatchEntry {
  /** What the event alone would carry. */
  data: unknown;
  event: 'bookAdded' | 'bookUpdated' | 'bookDeleted' | 'favoriteUpdated';
  position: string;
}

/** Block */
export interface Block {
  /** An address or a CIDR. */
  address: string;
  /** Who has asked for it. */
  by: string;
  createdAt: string;
  /** Connections and requests that were turned away since the server's start; of a cluster by this node. */
  refused: number;
  /** When it ends by itself; null: it does not. */
  until: string | null;
}

/** Book */
export interface Book {
  /** Trimmed and cut to 255 code points. */
  author: string;
  /** RFC 3339, UTC with milliseconds. */
  createdAt: string;
  /** The user ids whose favorite it is, in the order in which they chose it. */
  favorites: string[];
  /** Given by the server: unique, safe in JavaScript, rising. */
  id: number;
  /** Who has the book now, or null. */
  readerName: string | null;
  /** When the book comes back: RFC 3339, UTC with milliseconds, or null. */
  returnDateTime: string | null;
  /** Trimmed and cut to 255 code points. */
  title: string;
  /** The last change of the book itself. Favorites do not count. */
  updatedAt: string;
  /** The position in the log of the book's last change. Favorites do not count. */
  version: number;
}

export type BooksOrChanges = Book[] | Changes;

/** What has changed */
export interface Changes {
  /** The net effect since then, by rising position. */
  changes: BatchEntry[];
  /** The state to which the changes lead. */
  position: string;
  /** The changes since then cannot be told: fetch all books. */
  resync: boolean;
}

/** Connection */
export interface Connection {
  /** An IPv4 address, or the /64 of an IPv6 address. */
  address: string;
  /** In both directions. */
  bytesPerSecond: number;
  bytesReceived: number;
  bytesSent: number;
  connectedAt: string;
  /** The socket's public id; before there is a socket, one that is made up. */
  id: string;
  /** For how long the first of them have been waiting. */
  lagMilliseconds: number;
  /** To which node it is; empty without a cluster. */
  node: string;
  /** Wait for the client to read. */
  pendingBytes: number;
  /** It goes on from a former connection. */
  recovered: boolean;
  /** Empty before it is known. */
  role: 'reader' | 'owner' | '';
  transport: 'websocket' | 'polling';
  /** Empty if the client has no name, or not yet. */
  userId: string;
}

/** Connections of an address */
export interface ConnectionAddress {
  /** An IPv4 address, or the /64 of an IPv6 address. */
  address: string;
  blocked: boolean;
  /** In both directions. */
  bytesPerSecond: number;
  /** Open ones. */
  connections: number;
  /** Attempts to connect in the last seconds, refused ones included. */
  perSecond: number;
}

/** Node */
export interface ConnectionNode {
  answered: boolean;
  /** Open ones that fit the query; 0 if it has not answered. */
  connections: number;
  name: string;
}

/** Connections by transport */
export interface ConnectionTransport {
  polling: number;
  websocket: number;
}

/** Connections of a user */
export interface ConnectionUser {
  /** In both directions. */
  bytesPerSecond: number;
  connections: number;
  /** The higher one, if the connections differ. */
  role: 'reader' | 'owner';
  userId: string;
}

/** Who is connected */
export interface ConnectionView {
  /** Those with the most connections first. */
  addresses: ConnectionAddress[];
  byTransport: ConnectionTransport;
  /** Those for which something waits longest first, then those with most traffic. */
  connections: Connection[];
  /** The nodes of the cluster, the one that answers first; empty without a cluster. Of one that has not answered in time the connections are missing. */
  nodes: ConnectionNode[];
  total: number;
  /** Those with the most connections first; who has no name is not among them. */
  users: ConnectionUser[];
}

/** Dashboard statistics */
export interface DashboardStats {
  /** People who watch a dashboard now, not their connections. */
  connectedOwners: number;
  /** Null while no book is anybody's favorite. */
  mostFavorited: MostFavorited;
  /** The state of the catalogue that the numbers describe. */
  position: string;
  totalBooks: number;
  totalFavorites: number;
}

/** Whose favorite */
export interface Favorite {
  /** Whose favorite. The X-User-Id header goes before it, the query's userId after it. */
  userId?: string;
}

/** Favorites of one book */
export interface FavoritesCount {
  /** How many people have the book as a favorite now. */
  favoritesCount: number;
}

/** Health */
export interface Health {
  /** Always ok; anything else is a problem document. */
  status: 'ok';
}

/** History */
export interface History {
  /** When the first value's step began. */
  from: string;
  /** By name, as many values each. */
  series: Record<string, (number | null)[]>;
  /** The time from one value to the next. */
  step: '1s' | '1m' | '1h';
}

/** Log level */
export interface LogLevel {
  level: 'debug' | 'info' | 'warn' | 'error';
}

/** Done */
export interface Message {
  message: string;
}

/** The book with the most favorites, or null */
export type MostFavorited = {
  favoritesCount: number;
  id: number;
  title: string;
} | null;

/** What is to be blocked */
export interface NewBlock {
  /** An address, or a CIDR of at most one part in 256 of all addresses, and not the sender's own. */
  address: string;
  /** How long, as 90s, 30m or 24h. Missing or empty: until it is lifted. */
  for?: string;
}

/** Other fields are ignored. */
export interface NewBook {
  /** Trimmed and cut to 255 code points; no control characters. */
  author: string;
  /** Trimmed and cut to 100 code points. An empty string is null. */
  readerName?: string | null;
  /** RFC 3339. An empty string is null. */
  returnDateTime?: string | null;
  /** Trimmed and cut to 255 code points; no control characters. */
  title: string;
}

/** A JSON merge patch (RFC 7396). Other fields are refused by name. */
export interface PatchBook {
  /** The new author. */
  author?: string;
  /** Null or empty becomes null. */
  readerName?: string | null;
  /** RFC 3339. Null or empty becomes null. */
  returnDateTime?: string | null;
  /** The new title. */
  title?: string;
  /** Who asks, if neither header nor query says so. Not a field of the book. */
  userId?: string;
}

/** RFC 9457, with the handbook's error member besides. */
export interface Problem {
  /** With 412: the book as it is now. */
  book?: Book;
  /** The kind of error, for programs. */
  code: string;
  /** What exactly; names the field. */
  detail?: string;
  /** What went wrong, in the handbook's words. */
  error: string;
  /** The field of the body, or the parameter, that was refused. */
  field?: string;
  status: number;
  /** The status in words. */
  title: string;
  type: string;
}

/** Refusal */
export interface Refusal {
  /** An IPv4 address, or the /64 of an IPv6 address. */
  address: string;
  /** The last time. */
  at: string;
  /** How often, one after the other or not. */
  count: number;
  detail: string;
  kind: 'token' | 'origin' | 'role' | 'address' | 'limit';
  /** Empty if nobody knows. */
  userId: string;
}

/** Clients may send the whole book back: other fields are ignored. */
export interface ReplaceBook {
  /** Missing, null or empty keeps the old value. */
  author?: string | null;
  /** Missing, null or empty becomes null. */
  readerName?: string | null;
  /** RFC 3339. Missing, null or empty becomes null. */
  returnDateTime?: string | null;
  /** Missing, null or empty keeps the old value. */
  title?: string | null;
}

/** Time from action to screen */
export interface Timing {
  /** Which event the screen showed. */
  event: string;
  /** From the action until then. */
  milliseconds: number;
}

/** Times from action to screen */
export interface Timings {
  samples: Timing[];
}

/** The calls, by method and path. `answer` is what a call that succeeds gives in JSON. */
export interface Calls {
  /** The Socket.IO events, as AsyncAPI 3.0 */
  'GET /asyncapi.json': {
    answer: unknown;
  };
  /** The backups, the newest first */
  'GET /backups': {
    answer: Backup[];
  };
  /** Make a backup now */
  'POST /backups': {
    answer: Backup;
  };
  /** Compare every byte of a backup with what was written */
  'POST /backups/{name}/verify': {
    path: { name: string };
    answer: BackupReport;
  };
  /** Let an address or a network in again */
  'DELETE /blocks': {
    query?: { address?: string };
    answer: Message;
  };
  /** The addresses that are kept out, the newest first */
  'GET /blocks': {
    answer: Block[];
  };
  /** Keep an address or a network out, and close its connections */
  'POST /blocks': {
    body: NewBlock;
    answer: Block;
  };
  /** All books, a page of them, or what has changed */
  'GET /books': {
    query?: { q?: string; sort?: 'id' | '-id' | 'title' | '-title' | 'author' | '-author' | 'returnDateTime' | '-returnDateTime' | 'readerName' | '-readerName' | 'favorites' | '-favorites' | 'createdAt' | '-createdAt' | 'updatedAt' | '-updatedAt'; limit?: number; since?: string; after?: string };
    answer: BooksOrChanges;
  };
  /** Add a book */
  'POST /books': {
    body: NewBook;
    answer: Book;
  };
  /** Delete a book and its favorites */
  'DELETE /books/{id}': {
    path: { id: number };
    answer: Message;
  };
  /** One book */
  'GET /books/{id}': {
    path: { id: number };
    answer: Book;
  };
  /** Change some fields of a book */
  'PATCH /books/{id}': {
    path: { id: number };
    body: PatchBook;
    answer: Book;
  };
  /** Replace a book */
  'PUT /books/{id}': {
    path: { id: number };
    body: ReplaceBook;
    answer: Book;
  };
  /** Make a book one's favorite no longer */
  'DELETE /books/{id}/favorite': {
    path: { id: number };
    query?: { userId?: string };
    body?: Favorite;
    answer: FavoritesCount;
  };
  /** Toggle one's favorite, as the handbook's clients do */
  'POST /books/{id}/favorite': {
    path: { id: number };
    query?: { userId?: string };
    body?: Favorite;
    answer: FavoritesCount;
  };
  /** Make a book one's favorite */
  'PUT /books/{id}/favorite': {
    path: { id: number };
    query?: { userId?: string };
    body?: Favorite;
    answer: FavoritesCount;
  };
  /** Who is connected from where */
  'GET /connections': {
    query?: { limit?: number; address?: string; user?: string };
    answer: ConnectionView;
  };
  /** End a connection */
  'DELETE /connections/{id}': {
    path: { id: string };
    answer: Message;
  };
  /** Both, as a page to read */
  'GET /docs': {
    answer: never;
  };
  /** Whether the process answers */
  'GET /healthz': {
    answer: Health;
  };
  /** How the indicators went */
  'GET /history': {
    query?: { window?: '10m' | '24h' | '30d' };
    answer: History;
  };
  /** Which lines are logged */
  'GET /log-level': {
    answer: LogLevel;
  };
  /** Change which lines are logged, until the server stops */
  'PUT /log-level': {
    body: LogLevel;
    answer: LogLevel;
  };
  /** The metrics, for Prometheus */
  'GET /metrics': {
    answer: never;
  };
  /** This API, as OpenAPI 3.1 */
  'GET /openapi.json': {
    answer: unknown;
  };
  /** Whether a write would succeed */
  'GET /readyz': {
    answer: Health;
  };
  /** Who was refused, the latest first */
  'GET /refusals': {
    query?: { limit?: number };
    answer: Refusal[];
  };
  /** Fill an empty catalogue with sample books */
  'POST /samples': {
    answer: Added;
  };
  /** The dashboard's numbers */
  'GET /stats': {
    answer: DashboardStats;
  };
  /** Report how long actions took until the screen showed them */
  'POST /timings': {
    body: Timings;
    answer: Message;
  };
}

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { io } from 'socket.io-client';
import { App } from './app/App';
import { AppUpdate } from './app/appUpdate';
import { DebugLog } from './app/debugLog';
import { Session } from './app/session';
import { chooseTransports } from './app/transports';
import { createApi, createRest, IndexedSnapshotStore, Library } from './sync';
import './theme/global.css';

/** In development the page comes from Vite, the data from the server: another origin. */
const configured = import.meta.env.VITE_API_URL as string | undefined;
const server = configured ?? (import.meta.env.DEV ? 'http://localhost:4000' : '');

const session = new Session();
const { identity } = session;
const socket = io(server === '' ? location.origin : server, {
  query: { userId: identity.userId, role: identity.role },
  // Asked at each connection: the token may be a later one by then.
  auth: (present) => present(session.token() === null ? {} : { token: session.token() }),
  autoConnect: false,
  // Link reconnects: it says when, and spreads a crowd.
  reconnection: false,
});
chooseTransports(socket);
const rest = createRest(server, identity.userId, session);
const library = new Library({ identity, socket, api: createApi(rest, identity.userId) });
session.attach(socket);
if (session.left !== null) void new IndexedSnapshotStore(session.left).forget();
const debug = new URLSearchParams(location.search).has('debug') ? new DebugLog(socket) : null;

const update = new AppUpdate();
if (import.meta.env.PROD) update.start();

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no root element.');
createRoot(root).render(
  <StrictMode>
    <App library={library} session={session} rest={rest} debug={debug} update={update} />
  </StrictMode>,
);

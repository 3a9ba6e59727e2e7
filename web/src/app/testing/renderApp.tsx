import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { StrictMode } from 'react';
import { onTestFinished } from 'vitest';
import { ApiError, Library, type Rest } from '../../sync';
import { FakeServer } from '../../sync/testing/fakeServer';
import { App } from '../App';
import { Session } from '../session';

/** The whole app in StrictMode, against the server of the sync tests. */
export function renderApp(server: FakeServer, path = '/', reload: () => void = () => undefined, rest: Rest = () => Promise.reject(new ApiError('unavailable', 'This server does not have it.'))) {
  history.replaceState(null, '', path);
  const session = new Session(reload);
  onTestFinished(() => session.stop());
  const { identity } = session;
  const socket = server.socket();
  const library = new Library({ identity, socket, api: server.api(identity.userId), random: () => 0 });
  session.attach(socket);
  const view = render(
    <StrictMode>
      <App library={library} session={session} rest={rest} />
    </StrictMode>,
  );
  return { ...view, identity, session, socket, library, user: userEvent.setup({ delay: null }) };
}

/** As renderApp, and waits for nothing: a server with these titles, the first one oldest. */
export function serverWith(...titles: string[]): FakeServer {
  const server = new FakeServer();
  for (const title of titles) server.add({ title });
  return server;
}

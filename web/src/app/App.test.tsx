import { act, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../sync';
import { renderApp, serverWith } from './testing/renderApp';

const items = () => within(screen.getByRole('list', { name: 'Books' })).getAllByRole('listitem');
const shown = () => items().map((item) => item.querySelector('[data-open]')?.textContent);
const connection = () => screen.getByRole('status', { name: 'Connection' });
const remote = (change: () => void) =>
  act(async () => {
    change();
    await Promise.resolve();
  });

describe('the library', () => {
  it('shows the shelf, newest first, and says that it is live', async () => {
    renderApp(serverWith('Emma', 'Faust'));
    await waitFor(() => expect(shown()).toEqual(['Faust', 'Emma']));
    expect(connection()).toHaveProperty('dataset.connection', 'live');
    expect(connection().textContent).toBe('Live');
    expect(document.querySelector('[data-book-count]')?.textContent).toBe('2');
  });

  it('shows what others do as they do it, and tells it once', async () => {
    const server = serverWith('Emma');
    renderApp(server);
    await screen.findByRole('button', { name: 'Emma' });
    await remote(() => server.add({ title: 'Faust' }));
    expect(await screen.findByRole('button', { name: 'Faust' })).toBeTruthy();
    await screen.findByText('“Faust” is new on the shelf');
    expect(document.querySelectorAll('[data-toast]')).toHaveLength(1);
    expect(document.querySelector('[data-toast]')?.getAttribute('role')).toBe('status');
    const [id] = [...server.books.keys()];
    await remote(() => server.remove(id ?? 0));
    await waitFor(() => expect(shown()).toEqual(['Faust']));
  });

  it('shows hostile titles as text', async () => {
    renderApp(serverWith('<img src=x onerror="document.title=1"><b>bold</b>'));
    const title = await screen.findByRole('button', { name: /^<img/ });
    expect(title.textContent).toBe('<img src=x onerror="document.title=1"><b>bold</b>');
    expect(document.querySelector('main img, main b')).toBeNull();
  });

  it('finds as one types, without accents, and shows all again', async () => {
    const { user } = renderApp(serverWith('Jane Eyre', 'Les Misérables'));
    await screen.findByRole('button', { name: 'Jane Eyre' });
    await user.keyboard('/miserables');
    expect(shown()).toEqual(['Les Misérables']);
    await user.keyboard('zzz');
    await user.click(screen.getByRole('button', { name: 'Show all books' }));
    expect(shown()).toHaveLength(2);
  });

  it('filters by what a book is doing and sorts', async () => {
    const server = serverWith('Zadig', 'The Antiquary');
    server.add({ title: 'Lent', readerName: 'Anna', returnDateTime: new Date(Date.now() + 864e5).toISOString() });
    server.add({ title: 'Late', readerName: 'Ben', returnDateTime: new Date(Date.now() - 3 * 864e5).toISOString() });
    const { user } = renderApp(server);
    await screen.findByRole('button', { name: 'Late' });
    expect(screen.getByText('Ben, 3 days overdue')).toBeTruthy();
    await user.click(screen.getByRole('button', { name: /^Overdue/ }));
    expect(shown()).toEqual(['Late']);
    await user.click(screen.getByRole('button', { name: /^Available/ }));
    await user.selectOptions(screen.getByRole('combobox', { name: 'Sort by' }), 'title');
    expect(shown()).toEqual(['The Antiquary', 'Zadig']);
  });

  it('gives and takes back a heart, by mouse and by key', async () => {
    const server = serverWith('Emma');
    const { user, identity } = renderApp(server);
    const heart = await screen.findByRole('button', { name: 'Favourite Emma' });
    expect(heart.getAttribute('aria-pressed')).toBe('false');
    await user.click(heart);
    await waitFor(() => expect(heart.getAttribute('aria-pressed')).toBe('true'));
    expect([...server.books.values()][0]?.favorites).toEqual([identity.userId]);
    expect(items()[0]?.dataset.favorites).toBe('1');
    act(() => screen.getByRole('button', { name: 'Emma' }).focus());
    await user.keyboard('f');
    await waitFor(() => expect(heart.getAttribute('aria-pressed')).toBe('false'));
    expect(document.querySelectorAll('[data-toast]')).toHaveLength(0);
  });

  it('takes back a heart that the library refuses, and says why', async () => {
    const server = serverWith('Emma');
    server.trouble = () => new ApiError('forbidden', 'Unauthorized access');
    const { user } = renderApp(server);
    const heart = await screen.findByRole('button', { name: 'Favourite Emma' });
    await user.click(heart);
    await waitFor(() => expect(document.querySelector('[data-toast]')?.textContent).toContain('Your favourite “Emma” is as it was. Unauthorized access'));
    expect(heart.getAttribute('aria-pressed')).toBe('false');
    expect(items()[0]?.dataset.favorites).toBe('0');
  });

  it('moves among the books with the arrows; Tab reaches one of them', async () => {
    const { user } = renderApp(serverWith('A', 'B', 'C'));
    const first = await screen.findByRole('button', { name: 'C' });
    act(() => first.focus());
    await user.keyboard('{ArrowRight}');
    expect(document.activeElement?.textContent).toBe('B');
    await user.keyboard('{End}');
    expect(document.activeElement?.textContent).toBe('A');
    expect(items().map((item) => item.querySelector<HTMLElement>('[data-open]')?.tabIndex)).toEqual([-1, -1, 0]);
  });

  it('holds still under the keyboard and offers what is new', async () => {
    const server = serverWith('A', 'B');
    const { user } = renderApp(server);
    await screen.findByRole('button', { name: 'B' });
    await user.tab();
    while (document.activeElement?.textContent !== 'B') await user.tab();
    await remote(() => server.add({ title: 'C' }));
    const offer = await screen.findByRole('button', { name: 'Show 1 new book' });
    expect(shown()).toEqual(['B', 'A']);
    await user.click(offer);
    expect(shown()).toEqual(['C', 'B', 'A']);
  });

  it('offers samples to an empty shelf', async () => {
    const server = serverWith();
    const { user } = renderApp(server);
    await user.click(await screen.findByRole('button', { name: 'Load 50 sample books' }));
    await waitFor(() => expect(document.querySelector('[data-book-count]')?.textContent).toBe('50'));
  });

  it('says what is wrong when there is nothing to show, and gets over it', async () => {
    const server = serverWith('Emma');
    server.reachable = false;
    const { user } = renderApp(server);
    await screen.findByRole('alert');
    expect(document.querySelector('main')?.dataset.catalogue).toBe('failed');
    server.reachable = true;
    await user.click(screen.getByRole('button', { name: 'Try now' }));
    expect(await screen.findByRole('button', { name: 'Emma' })).toBeTruthy();
  });
});

describe('the connection', () => {
  it('is told honestly, and heals without a reload', async () => {
    const server = serverWith('Emma');
    const { socket } = renderApp(server);
    await waitFor(() => expect(connection().dataset.connection).toBe('live'));
    server.reachable = false;
    await remote(() => socket.cut());
    expect(connection().dataset.connection).toBe('reconnecting');
    server.add({ title: 'Meanwhile' });
    server.reachable = true;
    await waitFor(() => expect(connection().dataset.connection).toBe('live'), { timeout: 3_000 });
    expect(await screen.findByRole('button', { name: 'Meanwhile' })).toBeTruthy();
    await screen.findByText('Up to date again: 1 change while you were away');
  });

  it('says when the server cannot store changes, keeps them meanwhile, and sends them once it can', async () => {
    const server = serverWith('Emma');
    const { socket, user } = renderApp(server);
    await waitFor(() => expect(connection().dataset.connection).toBe('live'));
    const heart = await screen.findByRole('button', { name: 'Favourite Emma' });
    await remote(() => socket.receive('serviceStatus', { writable: false, asOf: new Date(Date.now() - 300_000).toISOString(), detail: 'no majority' }));
    const banner = await screen.findByRole('region', { name: 'Library in trouble' });
    expect(banner.textContent).toMatch(/^Changes cannot be saved just now\. .*This is the library as it was .*5 minutes ago\./);
    await user.click(heart);
    await waitFor(() => expect(banner.textContent).toContain('1 change of yours waits here.'));
    expect(server.calls).toHaveLength(0);
    await remote(() => socket.receive('serviceStatus', { writable: true, asOf: null }));
    await waitFor(() => expect(server.calls).toHaveLength(1));
    expect(screen.queryByRole('region', { name: 'Library in trouble' })).toBeNull();

    // What one server said does not hold for the next.
    await remote(() => socket.receive('serviceStatus', { writable: false, asOf: null, detail: 'the disk is full' }));
    await screen.findByRole('region', { name: 'Library in trouble' });
    await remote(() => socket.cut());
    await waitFor(() => expect(connection().dataset.connection).toBe('live'), { timeout: 3_000 });
    expect(screen.queryByRole('region', { name: 'Library in trouble' })).toBeNull();
  });

  it('leaves no listener behind after StrictMode and unmounting, here and at the desk', async () => {
    for (const path of ['/', '/owner']) {
      const { socket, unmount } = renderApp(serverWith('Emma'), path);
      await screen.findByRole('button', { name: 'Emma' });
      expect(socket.attempts).toBe(1);
      unmount();
      await Promise.resolve();
      // The session's, which lasts as long as the page.
      expect(socket.listenerCount).toBe(1);
      expect(socket.connected).toBe(false);
    }
  });
});

describe('the desk', () => {
  it('joins the dashboard once, shows its numbers and who is there, and leaves it for the library', async () => {
    const { socket, user } = renderApp(serverWith('Emma'), '/owner');
    await screen.findByRole('button', { name: 'Emma' });
    expect(socket.sent).toEqual(['ownerJoinDashboard']);
    await remote(() => {
      socket.receive('dashboardStats', { totalBooks: 1, totalFavorites: 7, connectedOwners: 2, mostFavorited: null });
      socket.receive('userStatus', { total: 2, users: [{ userId: 'demoUser5', role: 'reader', connections: 2 }] });
    });
    await waitFor(() => expect(document.querySelector('[data-stat=favorites]')?.textContent).toBe('7'));
    expect(document.querySelector('[data-stat=online]')?.textContent).toBe('2');
    expect(document.querySelector('[data-watching]')?.textContent).toBe('2');
    expect(document.querySelector('[data-online-user=demoUser5]')?.textContent).toContain('in 2 windows');
    await user.click(screen.getByRole('link', { name: 'Library' }));
    await screen.findByRole('heading', { level: 1, name: 'The library' });
    expect(socket.sent).toEqual(['ownerJoinDashboard', 'ownerLeaveDashboard']);
  });

  it('keeps what happened, newest first, and marks what one did oneself', async () => {
    const server = serverWith('Emma');
    const { user } = renderApp(server, '/owner');
    await screen.findByRole('button', { name: 'Lend Emma' });
    await remote(() => server.add({ title: 'Faust' }));
    await user.click(await screen.findByRole('button', { name: 'Lend Emma' }));
    await user.type(await screen.findByRole('textbox', { name: 'Lent to' }), 'Anna{Enter}');
    await screen.findByRole('button', { name: 'Return Emma' });
    await waitFor(() => {
      const entries = within(screen.getByRole('region', { name: 'What happened' })).getAllByRole('listitem');
      expect(entries.map((entry) => entry.dataset.activity)).toEqual(['lent', 'added']);
      expect(entries[0]?.textContent).toContain('· you');
    });
    expect(document.querySelectorAll('[data-toast][data-origin=own]')).toHaveLength(1);
    expect(document.querySelectorAll('[data-toast][data-origin=remote]')).toHaveLength(1);
  });
});

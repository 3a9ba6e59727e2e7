import { act, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../sync';
import { renderApp, serverWith } from './testing/renderApp';

const remote = (change: () => void) =>
  act(async () => {
    change();
    await Promise.resolve();
  });
const field = (name: string) => screen.getByRole<HTMLInputElement>('textbox', { name });

describe('adding', () => {
  it('asks for what is missing, adds once, and gives the focus back', async () => {
    const server = serverWith('Emma');
    const { user } = renderApp(server);
    await screen.findByRole('button', { name: 'Emma' });
    const opener = screen.getByRole('button', { name: 'Add book' });
    await user.click(opener);
    const dialog = await screen.findByRole('dialog', { name: 'Add a book' });
    await user.click(within(dialog).getByRole('button', { name: 'Add book' }));
    expect(within(dialog).getByText('A book needs a title.')).toBeTruthy();
    expect(field('Title').getAttribute('aria-invalid')).toBe('true');
    await user.type(field('Title'), '  Faust ');
    await user.type(field('Author'), 'Goethe{Enter}');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(document.activeElement).toBe(opener);
    expect(screen.getAllByRole('button', { name: 'Faust' })).toHaveLength(1);
    expect([...server.books.values()].map((book) => book.title)).toEqual(['Emma', 'Faust']);
    await waitFor(() => expect(document.querySelectorAll('[data-toast]')).toHaveLength(1));
    expect(document.querySelector('[data-toast]')?.getAttribute('data-origin')).toBe('own');
  });

  it('keeps what was added while there is no connection, says so, and sends it after', async () => {
    const server = serverWith('Emma');
    const { user, socket, library } = renderApp(server);
    await screen.findByRole('button', { name: 'Emma' });
    await user.keyboard('n');
    await screen.findByRole('dialog', { name: 'Add a book' });
    await user.type(field('Title'), 'Faust');
    server.reachable = false;
    await remote(() => socket.cut());
    await user.type(field('Author'), 'Goethe{Enter}');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    const item = screen.getByRole('button', { name: 'Faust' }).closest('[data-book-id]');
    expect(item?.textContent).toContain('Waiting');
    expect(screen.getByRole('status', { name: 'Connection' }).textContent).toContain('1 waiting');
    server.reachable = true;
    await remote(() => library.retryNow());
    await waitFor(() => expect([...server.books.values()].map((book) => book.title)).toEqual(['Emma', 'Faust']));
    await waitFor(() => expect(item?.textContent).not.toContain('Waiting'));
    // The same item all along: nothing was taken away and put back.
    expect(item?.isConnected).toBe(true);
    expect(Number(item?.getAttribute('data-book-id'))).toBe([...server.books.keys()][1]);
  });

  it('keeps what is left of it when it is refused', async () => {
    const server = serverWith('Emma');
    const { user } = renderApp(server);
    await screen.findByRole('button', { name: 'Emma' });
    await user.keyboard('n');
    await screen.findByRole('dialog', { name: 'Add a book' });
    await user.type(field('Title'), 'Faust');
    server.trouble = () => new ApiError('forbidden', 'Unauthorized access');
    await user.type(field('Author'), 'Goethe{Enter}');
    expect((await screen.findByRole('alert')).textContent).toContain('Unauthorized access');
    expect(field('Title').value).toBe('Faust');
    expect(screen.queryByRole('button', { name: 'Faust' })).toBeNull();
  });

  it('puts what was refused later before the person, with both versions', async () => {
    const server = serverWith('Emma');
    const [id = 0] = [...server.books.keys()];
    const { user, socket, library } = renderApp(server, '/owner');
    await screen.findByRole('button', { name: 'Edit Emma' });
    server.reachable = false;
    await remote(() => socket.cut());
    await user.click(screen.getByRole('button', { name: 'Edit Emma' }));
    await screen.findByRole('dialog', { name: 'Edit book' });
    await user.type(field('Title'), ' (mine){Enter}');
    await screen.findByRole('button', { name: 'Emma (mine)' });
    server.change(id, { title: 'Emma (theirs)' });
    server.reachable = true;
    await remote(() => library.retryNow());
    await user.click(await screen.findByRole('button', { name: 'Your changes' }));
    const dialog = await screen.findByRole('dialog', { name: 'Your changes' });
    const row = dialog.querySelector('[data-conflict=title]');
    expect(row?.querySelector('[data-version=mine]')?.textContent).toBe('Emma (mine)');
    expect(row?.querySelector('[data-version=theirs]')?.textContent).toBe('Emma (theirs)');
    await user.click(within(dialog).getByRole('button', { name: 'Keep mine' }));
    await waitFor(() => expect(server.must(id).title).toBe('Emma (mine)'));
    await waitFor(() => expect(document.querySelector('[data-banner]')).toBeNull());
  });
});

describe('editing', () => {
  it('changes only what was changed', async () => {
    const server = serverWith('Emma');
    const { user } = renderApp(server, '/owner');
    await user.click(await screen.findByRole('button', { name: 'Edit Emma' }));
    await screen.findByRole('dialog', { name: 'Edit book' });
    await user.clear(field('Title'));
    await user.type(field('Title'), 'Emma, annotated');
    const [id] = [...server.books.keys()];
    const before = server.must(id ?? 0);
    await user.click(screen.getByRole('button', { name: 'Save changes' }));
    await screen.findByRole('button', { name: 'Emma, annotated' });
    expect(server.must(id ?? 0)).toEqual({ ...before, title: 'Emma, annotated', version: before.version + 1 });
  });

  it('shows both when the book changes underneath, follows where nothing was typed, and lets one choose', async () => {
    const server = serverWith('Emma');
    const [id = 0] = [...server.books.keys()];
    const { user } = renderApp(server, '/owner');
    await user.click(await screen.findByRole('button', { name: 'Edit Emma' }));
    await screen.findByRole('dialog', { name: 'Edit book' });
    await user.type(field('Title'), ' (mine)');
    await remote(() => server.change(id, { title: 'Emma (theirs)', author: 'Austen' }));
    const conflict = await waitFor(() => {
      const found = document.querySelector<HTMLElement>('[data-conflict=title]');
      if (!found) throw new Error('no conflict yet');
      return found;
    });
    expect(conflict.textContent).toContain('Emma (theirs)');
    expect(field('Title').value).toBe('Emma (mine)');
    expect(field('Author').value).toBe('Austen');
    expect(screen.getByRole('button', { name: 'Save changes' })).toHaveProperty('disabled', true);
    await user.click(within(conflict).getByRole('button', { name: 'Keep mine' }));
    await user.click(screen.getByRole('button', { name: 'Save changes' }));
    await screen.findByRole('button', { name: 'Emma (mine)' });
    expect(server.must(id)).toMatchObject({ title: 'Emma (mine)', author: 'Austen' });
  });

  it('learns from a refusal what the news has not told yet', async () => {
    const server = serverWith('Emma');
    const [id = 0] = [...server.books.keys()];
    const { user, socket } = renderApp(server, '/owner');
    await user.click(await screen.findByRole('button', { name: 'Edit Emma' }));
    await screen.findByRole('dialog', { name: 'Edit book' });
    await user.type(field('Title'), ' (mine)');
    socket.connected = false; // events come late
    server.change(id, { title: 'Emma (theirs)' });
    await user.click(screen.getByRole('button', { name: 'Save changes' }));
    await waitFor(() => expect(document.querySelector('[data-conflict=title]')).not.toBeNull());
    expect(server.must(id).title).toBe('Emma (theirs)');
    await user.click(screen.getByRole('button', { name: 'Take theirs' }));
    expect(field('Title').value).toBe('Emma (theirs)');
  });

  it('says when the book is removed underneath', async () => {
    const server = serverWith('Emma');
    const [id = 0] = [...server.books.keys()];
    const { user } = renderApp(server, '/owner');
    await user.click(await screen.findByRole('button', { name: 'Edit Emma' }));
    await screen.findByRole('dialog', { name: 'Edit book' });
    await remote(() => server.remove(id));
    expect((await screen.findByRole('alert')).textContent).toContain('removed this book');
    expect(screen.getByRole('button', { name: 'Save changes' })).toHaveProperty('disabled', true);
  });
});

describe('lending, returning and deleting', () => {
  it('goes through the book’s own dialog', async () => {
    const server = serverWith('Emma', 'Faust');
    const [id = 0] = [...server.books.keys()];
    const { user } = renderApp(server);
    await user.click(await screen.findByRole('button', { name: 'Emma' }));
    await user.click(within(await screen.findByRole('dialog', { name: 'Emma' })).getByRole('button', { name: 'Lend' }));
    await user.type(await screen.findByRole('textbox', { name: 'Lent to' }), 'Anna');
    await user.click(screen.getByRole('button', { name: '1 week' }));
    await user.click(within(screen.getByRole('dialog', { name: 'Lend Emma' })).getByRole('button', { name: 'Lend' }));
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(server.must(id).readerName).toBe('Anna');
    expect(Math.round((Date.parse(server.must(id).returnDateTime ?? '') - Date.now()) / 864e5)).toBeGreaterThanOrEqual(6);
    expect(document.activeElement?.textContent).toBe('Emma');

    await user.keyboard('{Enter}');
    await user.click(await screen.findByRole('button', { name: 'Return' }));
    await waitFor(() => expect(server.must(id).readerName).toBeNull());
    await user.click(screen.getByRole('button', { name: 'Undo' }));
    await waitFor(() => expect(server.must(id).readerName).toBe('Anna'));
  });

  it('asks before it deletes, and moves the focus on to the next book', async () => {
    const server = serverWith('Emma', 'Faust');
    const { user } = renderApp(server, '/owner');
    await user.click(await screen.findByRole('button', { name: 'Delete Faust' }));
    const question = await screen.findByRole('alertdialog', { name: 'Delete this book?' });
    await user.click(within(question).getByRole('button', { name: 'Delete book' }));
    await waitFor(() => expect([...server.books.values()].map((book) => book.title)).toEqual(['Emma']));
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Emma'));
  });
});

describe('the menu and the help', () => {
  it('keeps the theme, and lists the keys', async () => {
    const { user } = renderApp(serverWith('Emma'));
    await screen.findByRole('button', { name: 'Emma' });
    await user.click(screen.getByRole('button', { name: 'Menu' }));
    await user.click(await screen.findByRole('button', { name: 'Dark' }));
    await waitFor(() => expect(document.documentElement.dataset.theme).toBe('dark'));
    expect(localStorage.getItem('shelfcast.theme')).toBe('dark');
    await user.keyboard('{Escape}');
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    await user.keyboard('?');
    expect(await screen.findByRole('dialog', { name: 'Keyboard shortcuts' })).toBeTruthy();
  });
});

import { act, screen, waitFor } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { ApiError } from '../sync';
import { claimsOf, Session } from './session';
import { renderApp, serverWith } from './testing/renderApp';

const HOUR = 3_600_000;

/** A token as a server signs it; nobody checks the signature here. */
function token(claims: Record<string, unknown>): string {
  const part = (value: unknown) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value)))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  return `${part({ alg: 'HS256' })}.${part({ sub: 'anna', role: 'owner', exp: Math.floor((Date.now() + HOUR) / 1_000), ...claims })}.c2lnbmVk`;
}

/** What a link does when it is opened in this tab, and how the app hears of it. */
function openLink(given: string): void {
  act(() => {
    history.replaceState(null, '', `/#token=${given}`);
    window.dispatchEvent(new Event('hashchange'));
  });
}

/** What another tab did to the storage. */
function elsewhere(value: string | null): void {
  act(() => {
    window.dispatchEvent(new StorageEvent('storage', { key: 'shelfcast.token', newValue: value }));
  });
}

describe('a session', () => {
  it('reads what a token says, and nothing out of what is none', () => {
    const exp = 1_900_000_000;
    expect(claimsOf(token({ exp }))).toEqual({ userId: 'anna', role: 'owner', ends: exp * 1_000 });
    expect(claimsOf(token({ sub: undefined, userId: 'Ødegård', exp }))?.userId).toBe('Ødegård');
    for (const none of ['', 'x', 'a.b.c', 'a..c', token({ exp: 'soon' }), token({ role: 'king' }), token({ sub: 7 }), token({ sub: '' }), `a.${btoa('null')}.c`]) {
      expect(claimsOf(none), none).toBeNull();
    }
  });

  it('takes a link out of the address and keeps the person over a reload', async () => {
    const given = token({});
    const { identity, session } = renderApp(serverWith('Emma'), `/?debug#token=${given}`);
    expect(location.href).not.toContain('token');
    expect(location.search).toBe('?debug');
    expect(identity).toEqual({ userId: 'anna', role: 'owner', mayEdit: true });
    expect(session.token()).toBe(given);
    await screen.findByRole('button', { name: 'Emma' });
    expect(document.querySelector('[data-signed-in]')?.textContent).toBe('anna');
    expect(screen.queryByRole('group', { name: 'Demo role' })).toBeNull();
    const again = new Session();
    expect(again.identity.userId).toBe('anna');
    again.stop();
  });

  it('is a demo without a token, as long as the server asks for none', async () => {
    const { session, socket } = renderApp(serverWith('Emma'));
    await screen.findByRole('button', { name: 'Emma' });
    expect(screen.getByRole('group', { name: 'Demo role' })).toBeTruthy();
    expect(session.token()).toBeNull();
    act(() => socket.receive('connect_error', new Error('Authentication error')));
    expect(await screen.findByRole('heading', { name: 'Sign in to the library' })).toBeTruthy();
    expect(document.querySelector('[data-sign-in]')?.getAttribute('data-sign-in')).toBe('needed');
    // Nothing of the library goes on behind the page.
    await waitFor(() => expect(socket.connected).toBe(false));
    expect(screen.queryByRole('list', { name: 'Books' })).toBeNull();
  });

  it('says that it has ended, or that it is not accepted', async () => {
    renderApp(serverWith('Emma'), `/#token=${token({ exp: Math.floor(Date.now() / 1_000) - 5 })}`).session.refused();
    expect(await screen.findByRole('heading', { name: 'Your sign-in has ended' })).toBeTruthy();
  });

  it('says that a link is not accepted, also one that is cut short', async () => {
    const { session } = renderApp(serverWith('Emma'), `/#token=${token({})}`);
    act(() => session.refused());
    expect(await screen.findByRole('heading', { name: 'This link is not accepted' })).toBeTruthy();
    openLink('cut');
    expect(location.hash).toBe('');
    localStorage.clear();
    history.replaceState(null, '', '/#token=cut');
    const cut = new Session();
    expect(cut.state()).toEqual({ status: 'out', reason: 'refused' });
    cut.stop();
  });

  it('goes on with a later link of the same person, in this tab or another', async () => {
    const reload = vi.fn();
    const { session, socket } = renderApp(serverWith('Emma'), `/#token=${token({})}`, reload);
    await screen.findByRole('button', { name: 'Emma' });
    const second = token({ exp: Math.floor((Date.now() + 2 * HOUR) / 1_000) });
    elsewhere(second);
    expect(session.token()).toBe(second);
    expect(socket.sent).toContain('renew');
    const third = token({ exp: Math.floor((Date.now() + 3 * HOUR) / 1_000) });
    openLink(third);
    expect(session.token()).toBe(third);
    expect(localStorage.getItem('shelfcast.token')).toBe(third);
    expect(socket.sent.filter((event) => event === 'renew')).toHaveLength(2);
    expect(reload).not.toHaveBeenCalled();
  });

  it('begins anew for another person, other rights, after a sign-out, and when somebody is let in again', async () => {
    const reload = vi.fn();
    const { session } = renderApp(serverWith('Emma'), `/#token=${token({})}`, reload);
    await screen.findByRole('button', { name: 'Emma' });
    elsewhere(token({ sub: 'ben' }));
    elsewhere(token({ role: 'reader' }));
    elsewhere(null);
    expect(reload).toHaveBeenCalledTimes(3);
    act(() => session.refused());
    openLink(token({ exp: Math.floor((Date.now() + 2 * HOUR) / 1_000) }));
    expect(reload).toHaveBeenCalledTimes(4);
  });

  it('warns before the end', async () => {
    renderApp(serverWith('Emma'), `/#token=${token({ exp: Math.floor((Date.now() + 5 * 60_000) / 1_000) })}`);
    expect((await screen.findByRole('region', { name: 'Sign-in' })).textContent).toMatch(/Your sign-in ends at .+ Open a new link/);
  });

  it('signs out of all tabs and leaves no token', async () => {
    const reload = vi.fn();
    const { user, session } = renderApp(serverWith('Emma'), `/#token=${token({})}`, reload);
    await user.click(await screen.findByRole('button', { name: 'Menu' }));
    await screen.findByText(/signed in until/);
    await user.click(screen.getByRole('button', { name: 'Sign out' }));
    expect(reload).toHaveBeenCalledOnce();
    expect(localStorage.getItem('shelfcast.token')).toBeNull();
    expect(session.left).toBe('anna');
    const after = new Session();
    expect(after.state()).toEqual({ status: 'out', reason: 'left' });
    after.stop();
  });

  it('offers a reader nothing that is refused', async () => {
    const { user, identity } = renderApp(serverWith('Emma'), `/owner#token=${token({ role: 'reader' })}`);
    expect(identity).toEqual({ userId: 'anna', role: 'reader', mayEdit: false });
    await user.click(await screen.findByRole('button', { name: 'Emma' }));
    const dialog = await screen.findByRole('dialog', { name: 'Emma' });
    expect(dialog.querySelector('button[aria-label^="Favourite"]')).toBeTruthy();
    for (const name of ['Lend', 'Return', 'Edit', 'Delete']) expect(screen.queryByRole('button', { name })).toBeNull();
    await user.keyboard('{Escape}n');
    expect(screen.queryByRole('dialog', { name: 'Add a book' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Add book' })).toBeNull();
    expect(screen.queryByRole('heading', { name: 'The desk' })).toBeNull();
  });

  it('keeps a change that met an ended sign-in', async () => {
    const server = serverWith('Emma');
    const { user, library } = renderApp(server, `/#token=${token({})}`);
    server.trouble = () => new ApiError('unauthenticated', 'the token has expired');
    await user.click(await screen.findByRole('button', { name: 'Favourite Emma' }));
    await waitFor(() => expect(library.pending().waiting).toHaveLength(1));
    expect(library.pending().refused).toHaveLength(0);
  });
});

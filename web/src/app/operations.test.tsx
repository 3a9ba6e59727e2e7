import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { ApiError, type Rest } from '../sync';
import { renderApp, serverWith } from './testing/renderApp';

/** Answers of the contract, by call; what is missing is not available. */
function answering(answers: Record<string, unknown>): { rest: Rest; calls: string[] } {
  const calls: string[] = [];
  const rest = ((name: string) => {
    calls.push(name);
    if (!(name in answers)) return Promise.reject(new ApiError('unavailable', 'This server does not have it.'));
    return Promise.resolve({ body: answers[name], position: null });
  }) as Rest;
  return { rest, calls };
}

const connection = {
  id: 'abc', userId: 'demoUser7', role: 'reader', address: '192.0.2.7', transport: 'websocket', connectedAt: '2024-12-25T14:30:00.000Z',
  node: '', bytesSent: 2048, bytesReceived: 10, bytesPerSecond: 0, pendingBytes: 0, lagMilliseconds: 0, recovered: false,
};

const answers = {
  'GET /history': { step: '1s', from: '2024-12-25T14:30:00.000Z', series: { connections: [1, null, 3], websocket: [1, null, 2], memoryBytes: [1024, 2048, 4096] } },
  'GET /connections': { total: 1, byTransport: { websocket: 1, polling: 0 }, nodes: [], addresses: [{ address: '192.0.2.7', connections: 1, perSecond: 0, bytesPerSecond: 0, blocked: false }], users: [], connections: [connection] },
  'DELETE /connections/{id}': { message: 'Disconnected' },
  'GET /blocks': [],
  'GET /refusals': [],
  'GET /backups': [{ name: 'b1', createdAt: '2024-12-25T14:30:00.000Z', ageSeconds: 7200, good: false, reason: 'manual', position: 'e-1', books: 3, bytes: 100, verified: { at: '2024-12-25T15:30:00.000Z', ok: false }, fault: '' }],
  'GET /log-level': { level: 'info' },
};

const noReload = () => undefined;

function asOwner(rest: Rest) {
  sessionStorage.setItem('shelfcast.role', 'owner');
  return renderApp(serverWith('Emma'), '/operations', noReload, rest);
}

describe('operations', () => {
  it('are not a reader’s, who is told so and asks the server for nothing', async () => {
    const { rest, calls } = answering(answers);
    const { user } = renderApp(serverWith('Emma'), '/operations', noReload, rest);
    await screen.findByRole('heading', { level: 1, name: 'Operations are the owners’' });
    expect(calls).toEqual([]);
    await user.click(screen.getByRole('link', { name: 'in the library' }));
    await screen.findByRole('button', { name: 'Emma' });
  });

  it('show what is now, and what was under the arrow keys', async () => {
    const { user } = asOwner(answering(answers).rest);
    const plot = await screen.findByRole('slider', { name: 'Connections' });
    expect(document.querySelector('[data-chart=connections] [data-value]')?.textContent).toBe('3');
    expect(plot.getAttribute('aria-valuetext')).toBe('Now: All 3, WebSocket 2, Polling –');
    plot.focus();
    await user.keyboard('{ArrowLeft}');
    expect(document.querySelector('[data-chart=connections] [data-value]')?.textContent).toBe('–');
    await user.keyboard('{Home}');
    expect(document.querySelector('[data-chart=connections] [data-value]')?.textContent).toBe('1');
    expect(await screen.findByText('Damaged')).toBeTruthy();
  });

  it('let the worst line speak for what goes wrong', async () => {
    const series = { refusedPerSecond: [0, 0, 0], limitHitsPerSecond: [1, 9, 5] };
    asOwner(answering({ ...answers, 'GET /history': { ...answers['GET /history'], series } }).rest);
    await screen.findByRole('slider', { name: 'Refused' });
    const panel = document.querySelector('[data-chart=refusals]');
    expect(panel?.querySelector('[data-value]')?.textContent).toBe('5/s');
    expect(panel?.hasAttribute('data-alarming')).toBe(true);
    expect(panel?.textContent).toContain('0/s to 9/s');
  });

  it('ask before they disconnect somebody', async () => {
    const { rest, calls } = answering(answers);
    const { user } = asOwner(rest);
    await user.click(await screen.findByRole('button', { name: /^Disconnect/ }));
    expect(calls).not.toContain('DELETE /connections/{id}');
    await user.click(within(await screen.findByRole('alertdialog')).getByRole('button', { name: 'Disconnect' }));
    await waitFor(() => expect(calls).toContain('DELETE /connections/{id}'));
    await waitFor(() => expect(screen.queryByRole('alertdialog')).toBeNull());
  });

  it('say which node of a cluster a connection is to, and which does not answer', async () => {
    const view = answers['GET /connections'];
    const nodes = [{ name: 'north', connections: 1, answered: true }, { name: 'south', connections: 0, answered: false }];
    asOwner(answering({ ...answers, 'GET /connections': { ...view, nodes, connections: [{ ...connection, node: 'north' }] } }).rest);
    expect(await screen.findByRole('cell', { name: 'north' })).toBeTruthy();
    expect(screen.getByText(/On 1 of 2 nodes\./)).toBeTruthy();
    expect(screen.getByText(/whoever is connected to south/)).toBeTruthy();
  });

  it('say what cannot be had, each part for itself', async () => {
    asOwner(answering({ 'GET /blocks': [] }).rest);
    await waitFor(() => expect(screen.getAllByRole('alert').length).toBeGreaterThanOrEqual(4));
    await screen.findByText('No address is kept out.');
    expect(screen.getAllByRole('button', { name: 'Try again' }).length).toBeGreaterThanOrEqual(4);
  });

  it('say how old their numbers are when the server goes', async () => {
    const present: Record<string, unknown> = { ...answers };
    asOwner(answering(present).rest);
    await screen.findByRole('slider', { name: 'Connections' });
    delete present['GET /history'];
    await screen.findByText(/The server does not answer. Last heard at/);
    expect(document.querySelector('[data-chart=connections] [data-value]')?.textContent).toBe('3');
  });
});

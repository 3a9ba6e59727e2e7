// An owner sees how the server does and acts on it; a reader is told whose page that is.
import assert from 'node:assert/strict';
import { patience, until } from '../chromium.mjs';

const still = { reducedMotion: 'reduce' };

export default async function play({ ask, stage, step }) {
  step('a reader is told whose page this is');
  const rita = await stage.enter('Rita', '/operations', still);
  await rita.page.getByRole('heading', { level: 1, name: 'Operations are the owners’' }).waitFor();
  assert.equal(await rita.page.locator('[data-chart]').count(), 0);

  step('the desk leads there, and the numbers move');
  const olga = await stage.enter('Olga', '/owner', still);
  await olga.page.getByRole('link', { name: 'How the server does' }).click();
  await olga.page.getByRole('heading', { level: 1, name: 'Operations', exact: true }).waitFor();
  await olga.page.locator('[data-freshness="fresh"]').first().waitFor();
  const connections = olga.page.locator('[data-chart="connections"] [data-value]');
  await until('two are connected', async () => assert.equal(await connections.innerText(), '2'));
  const anna = await stage.enter('Anna', '/', still);
  await until('Anna is the third', async () => assert.equal(await connections.innerText(), '3'));

  step('what happens passes by, and how long it took is measured');
  await anna.addBook({ title: 'Seen in passing', author: 'Ada Lovelace' });
  await olga.page.locator('[data-event="bookAdded"]').filter({ hasText: 'Seen in passing' }).waitFor();
  const onScreen = olga.page.locator('[data-chart="action-to-screen"] [data-value]');
  await until('the time from action to screen is known', async () => assert.match(await onScreen.innerText(), /\d m?s$/));

  step('a span of 30 days');
  await olga.page.getByRole('group', { name: 'Span' }).getByRole('button', { name: '30 days' }).click();
  await olga.page.locator('[data-chart="connections"]').getByText('in 30 days').waitFor();

  step('a client is disconnected, and comes back');
  const table = olga.page.getByRole('table', { name: 'Connections' });
  const row = table.getByRole('row').filter({ hasText: await anna.userId() });
  await row.getByRole('button', { name: /^Disconnect / }).click();
  const asked = olga.page.getByRole('alertdialog');
  await asked.getByRole('button', { name: 'Disconnect', exact: true }).click();
  await asked.waitFor({ state: 'hidden' });
  // The same socket as before, as far as she can tell, on another connection.
  await row.getByText('recovered').waitFor();
  await anna.expectConnection('live', patience);

  step('an address is blocked, and let in again');
  assert.equal(await ask('connect from elsewhere'), 'let in');
  await olga.page.getByRole('textbox', { name: 'Address or network to block' }).fill('127.0.0.9');
  await olga.button('Block').click();
  await asked.getByRole('button', { name: 'Block', exact: true }).click();
  const blocked = olga.page.getByRole('table', { name: 'Blocked addresses' }).getByRole('row').filter({ hasText: '127.0.0.9' });
  await blocked.waitFor();
  assert.equal(await ask('connect from elsewhere'), 'turned away');
  await olga.page.locator('[data-refusal="address"]').filter({ hasText: '127.0.0.9' }).waitFor();
  await blocked.getByRole('button', { name: 'Unblock 127.0.0.9' }).click();
  await blocked.waitFor({ state: 'hidden' });
  assert.equal(await ask('connect from elsewhere'), 'let in');

  step('a backup is made and verified');
  await olga.button('Make a backup').click();
  const backup = olga.page.getByRole('table', { name: 'Backups' }).getByRole('row').filter({ hasText: 'By hand' });
  await backup.getByRole('button', { name: /^Verify/ }).click();
  await backup.locator('[data-state="verified"]').waitFor();
  await olga.page.getByText('The newest good one was made just now.').waitFor();

  step('the log level');
  const levels = olga.page.getByRole('group', { name: 'Log level' });
  await levels.getByRole('button', { name: 'Warnings' }).click();
  await until('it is told', async () => assert.equal(await ask('log level'), 'warn'));
  await stage.expectCalm();
}

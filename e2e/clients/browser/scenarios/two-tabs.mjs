// Two tabs of one person: the second editor of a book sees the conflict and both versions; what
// waits in one tab is shown in both and sent once.
import assert from 'node:assert/strict';
import { patience, until } from '../chromium.mjs';

export default async function play({ config, stage, step }) {
  const first = await stage.enter('First tab', '/owner');
  const second = await stage.enterTab('Second tab', '/owner', first);

  step('the second editor sees the conflict and both versions');
  const [ours, theirs] = [first, second].map((who) => who.dialog('Edit book'));
  await first.button('Edit Emma').click();
  await second.button('Edit Emma').click();
  await ours.getByRole('textbox', { name: 'Title' }).fill('Emma (first)');
  await theirs.getByRole('textbox', { name: 'Title' }).fill('Emma (second)');
  await ours.getByRole('button', { name: 'Save changes', exact: true }).click();
  await ours.waitFor({ state: 'hidden' });
  const conflict = theirs.locator('[data-conflict="title"]');
  await conflict.waitFor();
  assert.match(await conflict.innerText(), /Emma \(first\)/);
  assert.equal(await theirs.getByRole('textbox', { name: 'Title' }).inputValue(), 'Emma (second)');
  assert.equal(await theirs.getByRole('button', { name: 'Save changes', exact: true }).isDisabled(), true);
  await conflict.getByRole('button', { name: 'Keep mine', exact: true }).click();
  await theirs.getByRole('button', { name: 'Save changes', exact: true }).click();
  await theirs.waitFor({ state: 'hidden' });
  await Promise.all([first, second].map((who) => who.putMouseAside()));
  await Promise.all([first, second].map((who) => who.sees('Emma (second)')));

  step('what waits shows in both tabs');
  const before = await books(config.url);
  second.expectOutage(); // it is cut off in the same moment
  await first.goOffline();
  await second.expectOffline();
  await first.addBook({ title: 'From the first tab', author: 'A. Person' });
  await second.sees('From the first tab');
  await second.addBook({ title: 'From the second tab', author: 'A. Person' });
  await first.sees('From the second tab');
  await Promise.all([first, second].map((who) => who.seesWaiting(2)));

  step('and is sent once');
  await first.goOnline();
  await Promise.all([first, second].map((who) => who.expectConnection('live', patience)));
  await Promise.all([first, second].map((who) => who.seesWaiting(0, patience)));
  await Promise.all([first, second].map((who) => who.sees('From the first tab')));
  await Promise.all([first, second].map((who) => who.sees('From the second tab')));
  await until('the server has both, once', async () => {
    assert.equal(await books(config.url), before + 2);
  });
  await stage.expectCalm();
}

async function books(url) {
  return (await (await fetch(new URL('/books', url))).json()).length;
}

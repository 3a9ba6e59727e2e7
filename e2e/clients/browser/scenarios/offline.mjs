// Offline, five edits, a reload, online again: each edit is done once, or shown as refused and undone.
import assert from 'node:assert/strict';
import { patience, until } from '../chromium.mjs';

export default async function play({ config, stage, step }) {
  const anna = await stage.enter('Anna', '/owner');
  const ben = await stage.enter('Ben', '/owner');
  const before = await writesSoFar(config.url);

  step('offline, edits show at once and wait');
  await anna.goOffline();
  await anna.addBook({ title: 'Written offline', author: 'Anna' });
  await anna.sees('Written offline');
  await anna.editBook('Emma', { Title: 'Emma, annotated' });
  await anna.sees('Emma, annotated');
  await anna.toggleFavorite('Walden');
  await anna.seesFavorites('Walden', 1);
  await anna.lendBook('Dracula', 'Mina');
  await anna.seesStatus('Dracula', 'lent');
  await anna.editBook('Persuasion', { Title: 'Persuasion (Anna)' });
  await anna.sees('Persuasion (Anna)');
  await anna.seesWaiting(5);
  assert.equal(await writesSoFar(config.url), before);

  step('meanwhile somebody else edits one of them');
  await ben.editBook('Persuasion', { Title: 'Persuasion (Ben)' });
  await ben.sees('Persuasion (Ben)');

  step('a reload without a network shows the last known library, as old, with all that waits');
  await anna.reloadOffline();
  await anna.seesWaiting(5);
  await anna.sees('Written offline');
  await anna.sees('Emma, annotated');
  await anna.seesFavorites('Walden', 1);
  await anna.seesStatus('Dracula', 'lent');
  await anna.sees('Persuasion (Anna)');
  const banner = await anna.page.locator('[data-banner="offline"]').innerText();
  assert.match(banner, /^No connection\. This is the library as it was at \d\d:\d\d, /);
  assert.match(banner, /5 changes of yours wait here/);
  await anna.button('Your changes').click();
  await until('all five are listed', async () => {
    assert.equal(await anna.dialog('Your changes').locator('[data-change="waiting"]').count(), 5);
  });
  await anna.page.keyboard.press('Escape');
  assert.equal(await writesSoFar(config.url), before + 1); // Ben's

  step('online, each is done once, or refused and undone');
  await anna.goOnline();
  await anna.expectConnection('live', patience);
  await anna.seesWaiting(0, patience);
  await Promise.all([anna, ben].map(async (who) => {
    await who.sees('Written offline', patience);
    await who.sees('Emma, annotated', patience);
    await who.seesFavorites('Walden', 1, patience);
    await who.seesStatus('Dracula', 'lent', patience);
    await who.sees('Persuasion (Ben)', patience);
    await who.seesNot('Persuasion (Anna)');
    await who.seesNot('Emma');
  }));
  // Anna's four and Ben's one: the log has nothing twice.
  assert.equal(await writesSoFar(config.url), before + 5);

  step('the refused one shows both versions and can be sent again');
  await anna.button('Your changes').click();
  const changes = anna.dialog('Your changes');
  const title = changes.locator('[data-conflict="title"]');
  assert.equal(await title.locator('[data-version="mine"]').innerText(), 'Persuasion (Anna)');
  assert.equal(await title.locator('[data-version="theirs"]').innerText(), 'Persuasion (Ben)');
  await changes.getByRole('button', { name: 'Keep mine', exact: true }).click();
  await anna.page.keyboard.press('Escape');
  await ben.sees('Persuasion (Anna)');
  await until('nothing is left to decide', async () => {
    assert.equal(await anna.page.locator('[data-banner]').count(), 0);
  });
  assert.equal(await writesSoFar(config.url), before + 6);
  await stage.expectCalm();
}

// Each change has a place of its own in the log, so the head's number counts them.
async function writesSoFar(url) {
  const response = await fetch(new URL('/books', url));
  await response.arrayBuffer();
  return Number(response.headers.get('Shelfcast-Position').split('-').at(-1));
}

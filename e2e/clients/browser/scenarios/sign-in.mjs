// Signing in by link: an owner and a reader at work, a link that ends and one that comes in time,
// and somebody without any.
import assert from 'node:assert/strict';
import { patience } from '../chromium.mjs';

export default async function play({ ask, stage, step }) {
  step('an owner and a reader come in by their links');
  const owner = await stage.enter('Owner', await ask('owner'));
  const reader = await stage.enter('Reader', await ask('reader'));
  for (const [who, userId] of [[owner, 'olga'], [reader, 'anna']]) {
    assert.doesNotMatch(who.page.url(), /token/);
    assert.equal(await who.page.locator('[data-signed-in]').getAttribute('data-signed-in'), userId);
    assert.equal(await who.page.getByRole('group', { name: 'Demo role' }).count(), 0);
  }

  step('each does what they may');
  assert.equal(await reader.button('Add book').count(), 0);
  assert.equal(await reader.page.getByRole('link', { name: 'Desk' }).count(), 0);
  await owner.page.getByRole('button', { name: 'Add the first book' }).click();
  const adding = owner.dialog('Add a book');
  await adding.getByRole('textbox', { name: 'Title' }).fill('Emma');
  await adding.getByRole('textbox', { name: 'Author' }).fill('Jane Austen');
  await adding.getByRole('button', { name: 'Add book', exact: true }).click();
  await owner.putMouseAside();
  await reader.sees('Emma', patience);
  await reader.toggleFavorite('Emma');
  await owner.seesFavorites('Emma', 1, patience);
  await owner.page.getByRole('link', { name: 'Desk' }).click();
  await owner.seesNumber('online', 2, patience);

  step('a reload keeps the person, and another tab is theirs too');
  await reader.page.reload();
  await reader.ready();
  const second = await stage.enterTab('Second tab', '/', reader);
  assert.equal(await second.page.locator('[data-signed-in]').getAttribute('data-signed-in'), 'anna');

  step('signing out ends it in all tabs');
  await second.button('Menu').click();
  await second.button('Sign out').click();
  for (const who of [second, reader]) {
    await who.page.locator('[data-sign-in="left"]').waitFor();
  }

  step('a sign-in that ends says so, and a new link in another tab brings it back');
  const guest = await stage.enter('Guest', await ask('short'));
  guest.expectOutage(); // the browser itself reports the refusal
  await guest.page.locator('[data-sign-in="expired"]').waitFor();
  await guest.page.getByRole('heading', { name: 'Your sign-in has ended' }).waitFor();
  await stage.enterTab('Other tab', await ask('short again'), guest);
  await guest.ready();
  await guest.sees('Emma', patience);

  step('without a link there is nothing to see');
  const stranger = await (await owner.page.context().browser().newContext()).newPage();
  await stranger.goto(new URL('/owner', owner.page.url()).href);
  await stranger.locator('[data-sign-in="needed"]').waitFor();
  assert.doesNotMatch(await stranger.content(), /Emma/);
  await stranger.context().close();
}

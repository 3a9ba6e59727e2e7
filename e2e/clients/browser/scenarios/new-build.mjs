// The server gets a new build of the app while browsers have the old one on the device.
import assert from 'node:assert/strict';
import { until } from '../chromium.mjs';

export default async function play({ ask, stage, step }) {
  const anna = await stage.enter('Anna');
  const ben = await stage.enter('Ben');
  for (const who of [anna, ben]) {
    await who.hasTheApp();
    assert.equal(await build(who), 'first');
  }
  await ask('deploy');

  step('a load takes the new build');
  await ben.reload();
  assert.equal(await build(ben), 'second');

  step('a page that stays open says so, and goes on');
  await anna.page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    await registration.update();
  });
  await anna.page.locator('[data-update="ready"]').waitFor();
  await anna.sees('Emma');
  assert.equal(await build(anna), 'first');
  await anna.button('Load it').click();
  await until('the new build is loaded', async () => {
    assert.equal(await build(anna), 'second');
  });
  await anna.ready();
  assert.equal(await anna.page.locator('[data-update]').count(), 0);

  step('and it is the one that is there without a network');
  for (const who of [anna, ben]) {
    await who.page.evaluate(async () => {
      await (await navigator.serviceWorker.ready).update();
    });
    await until(`${who.name} keeps one build besides`, async () => {
      const kept = await who.page.evaluate(() => caches.keys());
      assert.ok(kept.includes('shelfcast-app-0123456789abcdef') && kept.length === 2, kept.join(' '));
    });
    await who.goOffline();
    await who.reloadOffline();
    assert.equal(await build(who), 'second');
    await who.sees('Emma');
    await who.goOnline();
    await who.expectConnection('live');
  }

  step('or where a proxy answers for a server that is down');
  await ask('break');
  await ben.reloadOffline();
  assert.equal(await build(ben), 'second');
  await ben.sees('Emma');

  step('or where nothing answers');
  await ask('hang');
  await ben.page.reload();
  await ben.page.locator('main[data-catalogue="ready"]').waitFor();
  assert.equal(await build(ben), 'second');
  await ben.sees('Emma');
  assert.match(await ben.page.locator('[data-banner="recalled"]').innerText(), /^Still connecting\. This is the library as it was at/);
  assert.deepEqual(ben.complaints, []);
}

function build(who) {
  return who.page.evaluate(() => (document.querySelector('script[src="/theme-two.js"]') ? 'second' : 'first'));
}

// Every page in both themes and on a phone passes axe, and works from the keyboard.
import assert from 'node:assert/strict';
import { audit as findingsOf, sizes, still } from '../audit.mjs';
import { patience, until } from '../chromium.mjs';

// Everything found, so that one run shows all there is to mend.
const findings = [];

async function audit(who, what) {
  findings.push(...await findingsOf(who.page, what));
}

export default async function play({ stage, step }) {
  for (const [size, viewport] of sizes) {
    for (const path of ['/', '/owner']) {
      const who = await stage.enter(`a visitor of ${path} (${size})`, path, { ...still, viewport });
      for (const theme of ['Light', 'Dark']) {
        const what = `${path}, ${size}, ${theme}`;
        step(what);
        await who.chooseTheme(theme);
        assert.equal(await who.page.locator('html').getAttribute('data-theme'), theme.toLowerCase());
        await audit(who, what);
        await who.button('Add book').first().click();
        await who.dialog('Add a book').waitFor();
        await audit(who, `${what}, adding`);
        await who.page.keyboard.press('Escape');
        await who.dialog('Add a book').waitFor({ state: 'hidden' });
      }
      if (path === '/owner') {
        const what = `${path}, ${size}, offline`;
        step(what);
        await who.goOffline();
        await who.page.getByRole('button', { name: /^Favourite / }).first().click();
        await who.seesWaiting(1);
        for (const theme of ['Light', 'Dark']) {
          await who.chooseTheme(theme);
          await audit(who, `${what}, ${theme}`);
          await who.button('Your changes').click();
          await who.dialog('Your changes').waitFor();
          await audit(who, `${what}, ${theme}, changes`);
          await who.page.keyboard.press('Escape');
          await who.dialog('Your changes').waitFor({ state: 'hidden' });
        }
        await who.goOnline();
        await who.seesWaiting(0, patience);
      }
    }
  }

  step('keys');
  const olga = await stage.enter('Olga', '/owner', still);
  const { keyboard } = olga.page;
  await keyboard.press('/');
  await until('/ goes to the search', async () => {
    assert.equal(await olga.page.getByRole('searchbox', { name: 'Search books' }).evaluate((box) => box === document.activeElement), true);
  });
  await olga.page.getByRole('searchbox', { name: 'Search books' }).blur();
  await keyboard.press('?');
  await olga.dialog('Keyboard shortcuts').waitFor();
  await keyboard.press('Escape');
  await olga.dialog('Keyboard shortcuts').waitFor({ state: 'hidden' });
  await keyboard.press('n');
  await olga.dialog('Add a book').waitFor();
  await keyboard.type('By keyboard');
  await keyboard.press('Tab');
  await keyboard.type('Ada Lovelace');
  await keyboard.press('Enter');
  await olga.sees('By keyboard');
  assert.deepEqual(findings, []);
  await stage.expectCalm();
}

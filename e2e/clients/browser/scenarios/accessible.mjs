// Every page in both themes and on a phone passes axe, and works from the keyboard.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { patience, until } from '../chromium.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Colours that fade into each other would be measured halfway.
const still = { reducedMotion: 'reduce' };

// Everything found, so that one run shows all there is to mend.
const findings = [];

async function audit(who, what) {
  await who.page.evaluate(axe);
  const { violations } = await who.page.evaluate(() => globalThis.axe.run(document, {
    resultTypes: ['violations'],
    // A tooltip hangs on body, beside the landmarks; what it says is the name of its button.
    rules: { region: { enabled: false } },
  }));
  for (const { id, impact, nodes } of violations) {
    findings.push(`${what}: ${id} (${impact}), ${nodes.length} times, as ${nodes[0].html} ${nodes[0].failureSummary}`);
  }
  const { content, view } = await who.page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    view: document.documentElement.clientWidth,
  }));
  if (content > view) {
    findings.push(`${what}: ${content} px wide on a screen of ${view} px`);
  }
}

export default async function play({ stage, step }) {
  for (const [size, viewport] of [['desktop', { width: 1280, height: 800 }], ['phone', { width: 360, height: 740 }]]) {
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

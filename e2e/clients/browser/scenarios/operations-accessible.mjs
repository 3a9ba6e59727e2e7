// The Operations page passes axe in both themes and on a phone, with much on it and with nothing.
import assert from 'node:assert/strict';
import { audit, sizes, still } from '../audit.mjs';

export default async function play({ ask, stage, step }) {
  const findings = [];
  const look = async (what, who) => {
    for (const theme of ['Light', 'Dark']) {
      step(`${what}, ${theme}`);
      await who.chooseTheme(theme);
      findings.push(...await audit(who.page, `${what}, ${theme}`));
    }
  };
  for (const [size, viewport] of sizes) {
    const olga = await stage.enter(`Olga (${size})`, '/owner', { ...still, viewport });
    await olga.page.getByRole('link', { name: 'How the server does' }).click();
    await olga.page.locator('[data-freshness="fresh"]').first().waitFor();
    await look(`${size}, as it starts`, olga);
    await ask('make a mess');
    await olga.page.getByRole('table', { name: 'Blocked addresses' }).getByRole('row').nth(1).waitFor();
    await olga.page.getByRole('table', { name: 'Backups' }).getByRole('row').nth(1).waitFor();
    await look(`${size}, with much on it`, olga);
    await olga.page.getByRole('textbox', { name: 'Address or network to block' }).fill('192.0.2.0/24');
    await olga.button('Block').click();
    await olga.page.getByRole('alertdialog').waitFor();
    findings.push(...await audit(olga.page, `${size}, asking`));
    await olga.page.keyboard.press('Escape');
    const rita = await stage.enter(`Rita (${size})`, '/operations', { ...still, viewport });
    await look(`${size}, a reader`, rita);
    await ask('tidy up');
  }
  assert.deepEqual(findings, []);
  await stage.expectCalm();
}

// What axe finds wrong with a page as it is now, and whether it is wider than its screen.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Colours that fade into each other would be measured halfway.
export const still = { reducedMotion: 'reduce' };

export const sizes = [['desktop', { width: 1280, height: 800 }], ['phone', { width: 360, height: 740 }]];

// audit returns a line for each fault, so that one run can show all there is to mend.
export async function audit(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, {
    resultTypes: ['violations'],
    // A tooltip hangs on body, beside the landmarks; what it says is the name of its button.
    rules: { region: { enabled: false } },
  }));
  const findings = violations.map(({ id, impact, nodes }) => (
    `${what}: ${id} (${impact}), ${nodes.length} times, as ${nodes[0].html} ${nodes[0].failureSummary}`
  ));
  const { content, view } = await page.evaluate(() => ({
    content: document.documentElement.scrollWidth,
    view: document.documentElement.clientWidth,
  }));
  if (content > view) {
    findings.push(`${what}: ${content} px wide on a screen of ${view} px`);
  }
  return findings;
}

// A new catalogue offers the sample books, and everybody has them.
import assert from 'node:assert/strict';
import { patience, until } from '../chromium.mjs';

export default async function play({ stage, step }) {
  const anna = await stage.enter('Anna');
  const olga = await stage.enter('Olga', '/owner');
  assert.equal(await olga.number('books'), 0);

  step('one click loads fifty books');
  await olga.button('Load 50 sample books').click();
  await olga.seesNumber('books', 50, patience);
  await until('Anna counts 50 books', async () => {
    assert.equal(await anna.page.locator('[data-book-count]').getAttribute('data-book-count') || await anna.page.locator('[data-book-count]').innerText(), '50');
  });
  assert.equal(await olga.button('Load 50 sample books').count(), 0);
  await stage.expectCalm();
}

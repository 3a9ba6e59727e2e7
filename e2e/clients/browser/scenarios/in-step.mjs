// Two readers and an owner, each in a browser of their own: what one does, all see.
import assert from 'node:assert/strict';

export default async function play({ stage, step }) {
  const anna = await stage.enter('Anna');
  const ben = await stage.enter('Ben');
  const olga = await stage.enter('Olga', '/owner');
  const everyone = [anna, ben, olga];
  const all = (look) => Promise.all(everyone.map(look));
  const books = await olga.number('books');
  const favorites = await olga.number('favorites');
  await olga.seesNumber('online', 3, 5_000);

  step('a book added by one appears at the others');
  await olga.addBook({ title: 'Middlemarch', author: 'George Eliot' });
  await all((who) => who.sees('Middlemarch'));
  await olga.seesNumber('books', books + 1);

  step('one hears of one’s own action once');
  const heard = (await olga.toasts()).filter((toast) => toast.text.includes('Middlemarch'));
  assert.ok(heard.length <= 1 && heard.every((toast) => toast.origin === 'own'), JSON.stringify(heard));

  step('an edit shows everywhere');
  await olga.editBook('Middlemarch', { Title: 'Silas Marner' });
  await all((who) => who.sees('Silas Marner'));
  await all((who) => who.seesNot('Middlemarch'));

  step('a favourite counts everywhere');
  await ben.toggleFavorite('Silas Marner');
  await all((who) => who.seesFavorites('Silas Marner', 1));
  await olga.seesNumber('favorites', favorites + 1);
  await anna.toggleFavorite('Silas Marner');
  await all((who) => who.seesFavorites('Silas Marner', 2));
  await ben.toggleFavorite('Silas Marner');
  await all((who) => who.seesFavorites('Silas Marner', 1));
  await olga.seesNumber('favorites', favorites + 1);

  step('a loan shows everywhere');
  await olga.lendBook('Silas Marner', 'Anna');
  await all((who) => who.seesStatus('Silas Marner', 'lent'));

  step('a deletion shows everywhere');
  await olga.deleteBook('Silas Marner');
  await all((who) => who.seesNot('Silas Marner'));
  await olga.seesNumber('books', books);
  await olga.seesNumber('favorites', favorites);

  step('hostile HTML is text');
  const hostile = `<img src=x onerror="document.title='taken'"><b>bold</b>`;
  await olga.addBook({ title: hostile, author: '<script>document.title="taken"</script>' });
  await all((who) => who.sees(hostile));
  for (const who of everyone) {
    assert.equal(await who.page.locator('main img[src="x"], main b:text-is("bold")').count(), 0);
    assert.notEqual(await who.page.title(), 'taken');
  }

  step('a list that somebody walks through holds still, and says what waits');
  await ben.walksFrom('Walden');
  await olga.addBook({ title: 'Patience', author: 'Anonymous' });
  await anna.sees('Patience');
  await ben.asksForNewBook('Patience');
  await stage.expectCalm();

  step('a person stays the same over a reload');
  const id = await anna.userId();
  assert.ok(id);
  assert.notEqual(id, await ben.userId());
  await anna.reload();
  assert.equal(await anna.userId(), id);
  await stage.expectCalm();
}

// Takes the README's picture: the library by day beside the owner's desk by night, with the sample
// books and some readers' traces.
//
//   node screenshot.mjs URL FILE
import { writeFile } from 'node:fs/promises';
import { launch } from './chromium.mjs';
import { Library } from './library.mjs';

const [url, file] = process.argv.slice(2);
const viewport = { width: 740, height: 740 };

async function post(path, body) {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-User-Id': 'olga' },
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
  }
  return response.json();
}

const browser = await launch();
try {
  const open = async (path, colorScheme) => {
    const context = await browser.newContext({ baseURL: url, viewport, colorScheme, reducedMotion: 'reduce', locale: 'en-GB' });
    const library = new Library(path, await context.newPage());
    await library.open(path);
    return library.page;
  };
  await post('/samples', {});
  const books = await (await fetch(new URL('/books', url))).json();
  for (const [index, { id }] of books.entries()) {
    for (const userId of ['anna', 'ben', 'chiara', 'dimitri'].slice(0, (index * 7) % 5)) {
      await post(`/books/${id}/favorite`, { userId });
    }
  }
  const day = await open('/', 'light');
  const night = await open('/owner', 'dark');
  await post('/books', { title: 'The Left Hand of the Lamp', author: 'A. Reader' });
  const shots = [];
  for (const page of [day, night]) {
    await page.evaluate(() => document.fonts.ready);
    shots.push(await page.screenshot({ type: 'png' }));
  }
  const both = await browser.newPage({ viewport: { width: 2 * viewport.width, height: viewport.height } });
  await both.setContent(`<body style="margin:0;display:flex">${shots
    .map((shot) => `<img style="display:block" src="data:image/png;base64,${shot.toString('base64')}">`).join('')}</body>`);
  await both.evaluate(() => Promise.all([...document.images].map((image) => image.decode())));
  await writeFile(file, await both.screenshot({ type: 'png' }));
} finally {
  await browser.close();
}

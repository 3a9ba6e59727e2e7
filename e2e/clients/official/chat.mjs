// Two people use the page of examples/chat in chromium: node chat.mjs '{"url", "password"}'
// Prints {"kind": "played", "error": null or text}.
import { launch, until } from '../browser/chromium.mjs';

const { url, password } = JSON.parse(process.argv[2]);
const browser = await launch();

async function come(name, secret) {
  const page = await browser.newPage();
  await page.goto(url);
  await enter(page, name, secret);
  return page;
}

async function enter(page, name, secret) {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(secret);
  await page.getByRole('button', { name: 'Enter' }).click();
}

const status = (page, text) => page.getByRole('status').filter({ hasText: text }).waitFor();

async function said(page, ...want) {
  await until(`messages ${want}`, async () => {
    const got = await page.getByRole('listitem').allTextContents();
    if (got.join() !== want.join()) {
      throw new Error(`there are ${got}`);
    }
  });
}

async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Send' }).click();
}

async function play() {
  const ann = await come('Ann', 'wrong');
  await status(ann, 'wrong password');
  await enter(ann, 'Ann', password);
  await status(ann, 'You are in lobby');
  await say(ann, '<b>hello</b>');
  await said(ann, 'Ann: <b>hello</b>');
  const bob = await come('Bob', password);
  await said(bob, 'Ann: <b>hello</b>');
  await status(ann, 'Bob came in');
  await say(bob, 'hi');
  await said(ann, 'Ann: <b>hello</b>', 'Bob: hi');
  await said(bob, 'Ann: <b>hello</b>', 'Bob: hi');
  await bob.close();
  await status(ann, 'Bob left');
}

const error = await play().then(() => null, (problem) => problem.stack ?? String(problem));
console.log(JSON.stringify({ kind: 'played', error }));
await browser.close();

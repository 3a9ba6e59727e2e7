// Opens a page in chromium and keeps it open until standard input ends:
// node chromium.mjs '{"url"}'. What the page logs is printed.
import { launch } from '../browser/chromium.mjs';

const { url } = JSON.parse(process.argv[2]);
const browser = await launch();
const page = await browser.newPage();
page.on('console', (message) => console.log(message.text()));
page.on('pageerror', (error) => console.log(String(error)));
await page.goto(url);
process.stdin.on('end', () => browser.close());
process.stdin.resume();

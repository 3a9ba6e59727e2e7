// Runs one program made of the handbook's snippets in a page, as handbook/run.mjs does under Node;
// same configuration, same messages, and "pagePort", on which the page is served (an origin that
// the server allows).
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { launch } from './chromium.mjs';

const config = JSON.parse(process.argv[2]);
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const page = (settings) => `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="importmap">{"imports": {"socket.io-client": "/handbook/official.mjs"}}</script>
<script>globalThis.shelfcast = { config: ${JSON.stringify(settings)}, tell: globalThis.tellTest };</script>
<script type="module">
  import { record, surroundings, unmount } from '/handbook/recorder.mjs';
  Object.assign(globalThis, surroundings, { unmount });
  await import('/program.mjs');
  record('running', {});
</script>`;

const files = {
  '/program.mjs': config.program,
  '/handbook/official.mjs': new URL('../handbook/official.mjs', import.meta.url),
  '/handbook/recorder.mjs': new URL('../handbook/recorder.mjs', import.meta.url),
  '/client.mjs': new URL(`../node_modules/${config.client}/dist/socket.io.esm.min.js`, import.meta.url),
};

const server = createServer(async (request, response) => {
  if (request.url === '/') {
    response.setHeader('Content-Type', 'text/html');
    response.end(page({ ...config, client: '/client.mjs' }));
  } else if (files[request.url]) {
    response.setHeader('Content-Type', 'text/javascript');
    response.end(await readFile(files[request.url]));
  } else {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => {
  server.listen(config.pagePort, '127.0.0.1', resolve);
});

const browser = await launch();
const tab = await browser.newPage();
await tab.exposeFunction('tellTest', tell);
tab.on('pageerror', (error) => tell({ kind: 'pageerror', text: error.stack }));
tab.on('console', (message) => tell({ kind: 'console', type: message.type(), text: message.text() }));
await tab.goto(`http://localhost:${config.pagePort}/`);

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  if (line === 'unmount') {
    tab.evaluate(() => globalThis.unmount());
  }
});
commands.on('close', async () => {
  await browser.close();
  process.exit(0);
});

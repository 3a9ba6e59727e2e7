// Runs one program made of the handbook's snippets under Node.
//
//   node run.mjs '{"program": FILE, "client": PACKAGE, "url": URL, "transports": [..] or null}'
//
// Prints what happens as one JSON object per line. A line "unmount" on standard input runs the
// effects' cleanup; the end of standard input ends the program.
import { register } from 'node:module';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

register('./resolve.mjs', import.meta.url);
globalThis.shelfcast = {
  config: JSON.parse(process.argv[2]),
  tell: (message) => process.stdout.write(`${JSON.stringify(message)}\n`),
};
const { config, disconnect, record, surroundings, unmount } = await import('./recorder.mjs');
Object.assign(globalThis, surroundings);
await import(pathToFileURL(config.program).href);
record('running', {});

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  if (line === 'unmount') {
    unmount();
  }
});
commands.on('close', () => {
  disconnect();
  process.exit(0);
});

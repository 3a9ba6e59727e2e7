// Plays one scenario in chromium.
//
//   node run.mjs '{"scenario": NAME, "url": URL}'
//
// Prints one JSON object per line: {"kind": "step"} as it goes, {"kind": "ask", "what": ...} when
// the test has to do something (it answers with a line on standard input), and in the end
// {"kind": "played", "error": null or text}.
import { createInterface } from 'node:readline';
import { Stage } from './stage.mjs';

const config = JSON.parse(process.argv[2]);
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const input = createInterface({ input: process.stdin });
const answers = input[Symbol.asyncIterator]();

async function ask(what) {
  tell({ kind: 'ask', what });
  const { value, done } = await answers.next();
  if (done) {
    throw new Error(`the test ended before it answered ${what}`);
  }
  return value;
}

const { default: play } = await import(`./scenarios/${config.scenario}.mjs`);
const stage = await Stage.open(config.url);
let error = null;
try {
  await play({ ask, config, stage, step: (name) => tell({ kind: 'step', name }) });
} catch (problem) {
  error = problem.stack ?? String(problem);
}
await stage.close();
tell({ kind: 'played', error });
input.close();
process.stdin.destroy();

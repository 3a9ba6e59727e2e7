// Reads what `npm outdated --json` prints and lists the packages whose locked version is not the
// newest: name, locked version, newest within the range of package.json, newest of all.
import { readFileSync } from 'node:fs';

const locked = JSON.parse(readFileSync(process.argv[2], 'utf8')).packages;
const found = JSON.parse(readFileSync(0, 'utf8') || '{}');

for (const [name, { wanted, latest }] of Object.entries(found)) {
  // An alias is listed as "alias:package@range".
  const alias = name.split(':')[0];
  const version = locked[`node_modules/${alias}`]?.version;
  if (version === latest) continue;
  const range = version === wanted ? 'held by package.json' : `-> ${wanted}`;
  console.log(`${name.replace(/(?<=.)@[^/]*$/, '')} ${version} ${range}, newest ${latest}`);
}

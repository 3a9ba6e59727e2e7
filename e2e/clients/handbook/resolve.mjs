// A module loader hook: the handbook's `import { io } from 'socket.io-client'` gets official.mjs,
// which is the official client of the version under test.
const official = new URL('./official.mjs', import.meta.url).href;

export function resolve(specifier, context, next) {
  return specifier === 'socket.io-client' ? { url: official, shortCircuit: true } : next(specifier, context);
}

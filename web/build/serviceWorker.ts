import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'vite';

/** Where the worker lies: at the root, as its place is what it may serve. */
const WORKER = 'sw.js';
const SOURCE = 'src/worker/worker.ts';

/**
 * Builds the service worker, and tells it of what the finished build of the app consists. Fonts are left out but for those
 * that the page itself asks for: most people never need the others, and whoever does keeps them.
 */
export function serviceWorker(): Plugin {
  let root = '';
  let folder = '';
  let target: string | string[] | false = false;
  return {
    name: 'shelfcast-service-worker',
    apply: 'build',
    configResolved(config) {
      ({ root } = config);
      ({ target } = config.build);
      folder = join(root, config.build.outDir);
    },
    async closeBundle() {
      await buildWorker(root, folder, target);
      const names = (await filesIn(folder)).filter((name) => name !== WORKER && !name.startsWith('.'));
      const page = await readFile(join(folder, 'index.html'), 'utf8');
      const files = names.filter((name) => !name.endsWith('.woff2') || page.includes(name)).sort();
      const digest = createHash('sha256');
      for (const name of files) digest.update(name).update(await readFile(join(folder, name)));
      const worker = join(folder, WORKER);
      const text = await readFile(worker, 'utf8');
      await writeFile(worker, withFiles(text, files.map((name) => `/${name}`), digest.digest('hex').slice(0, 16)));
    },
  };
}

/**
 * A build of its own: what the worker shared with the app would become a file that both import, and
 * a browser does not run a classic worker that imports. Module workers are too new to rely on.
 */
async function buildWorker(root: string, outDir: string, target: string | string[] | false): Promise<void> {
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: { outDir, emptyOutDir: false, target, rolldownOptions: { input: join(root, SOURCE), output: { format: 'iife', entryFileNames: WORKER } } },
  });
}

export function withFiles(worker: string, files: readonly string[], build: string): string {
  if (!worker.includes('SHELFCAST_FILES') || !worker.includes('SHELFCAST_BUILD')) throw new Error('the service worker has no place for its files');
  return worker.replaceAll('SHELFCAST_FILES', JSON.stringify(files)).replaceAll('SHELFCAST_BUILD', JSON.stringify(build));
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

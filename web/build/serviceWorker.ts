import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Plugin } from 'vite';

/** Where the worker lies: at the root, as its place is what it may serve. */
export const WORKER = 'sw.js';

/**
 * Tells the service worker of what the finished build consists. Fonts are left out but for those
 * that the page itself asks for: most people never need the others, and whoever does keeps them.
 */
export function serviceWorker(): Plugin {
  let folder = '';
  return {
    name: 'shelfcast-service-worker',
    apply: 'build',
    configResolved(config) {
      folder = join(config.root, config.build.outDir);
    },
    async closeBundle() {
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

export function withFiles(worker: string, files: readonly string[], build: string): string {
  if (!worker.includes('SHELFCAST_FILES') || !worker.includes('SHELFCAST_BUILD')) throw new Error('the service worker has no place for its files');
  return worker.replaceAll('SHELFCAST_FILES', JSON.stringify(files)).replaceAll('SHELFCAST_BUILD', JSON.stringify(build));
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

// Debian's chromium for these tests. It makes no connection but to the pages it is told to open.
import { chromium } from 'playwright-core';

// How long anything may take before it counts as never; see patience in the Go tests.
export const patience = 30_000;

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', // root in a container has none
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--force-color-profile=srgb',
    ],
  });
}

// Waits until check() returns without throwing, and gives its last error when time runs out.
export async function until(what, check, within = patience) {
  const deadline = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`${what}: not within ${within} ms: ${error.message}`, { cause: error });
      }
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
}

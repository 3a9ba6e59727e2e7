import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { serviceWorker } from './build/serviceWorker.ts';

export default defineConfig({
  plugins: [react(), serviceWorker()],
  server: {
    port: 3000,
    // The server allows http://localhost:3000 and no other origin (handbook, "Server Setup").
    strictPort: true,
  },
  build: {
    // A data: address would need font-src in the content security policy.
    assetsInlineLimit: 0,
    emptyOutDir: true,
    target: 'es2022',
  },
  test: {
    environment: 'jsdom',
    include: ['{src,build}/**/*.test.{ts,tsx}'],
    setupFiles: ['src/app/testing/setup.ts'],
    restoreMocks: true,
    css: false,
    // The suites share two slow cores with the server's tests.
    testTimeout: 20_000,
  },
});

import { expect, it } from 'vitest';
import { pageAt, PATHS } from './pages';

it('knows its own places, and none of the server’s', () => {
  for (const [route, path] of Object.entries(PATHS)) expect(pageAt(path)).toBe(route);
  expect(pageAt('/owner/')).toBe('desk');
  for (const path of ['/books', '/books/7', '/docs', '/owners', '/index.html']) expect(pageAt(path)).toBeNull();
});

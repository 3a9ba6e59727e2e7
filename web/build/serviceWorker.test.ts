import { expect, it } from 'vitest';
import { withFiles } from './serviceWorker';

it('tells the worker its files and its build', () => {
  expect(withFiles('take(SHELFCAST_FILES, SHELFCAST_BUILD)', ['/a.js', '/b'], '1f')).toBe('take(["/a.js","/b"], "1f")');
});

it('refuses a worker without a place for them, which would keep nothing', () => {
  expect(() => withFiles('take()', [], '1f')).toThrow('no place');
});

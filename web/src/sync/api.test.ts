import { afterEach, expect, it, vi } from 'vitest';
import { createApi } from './api';
import { createRest } from './rest';

afterEach(() => {
  vi.unstubAllGlobals();
});

const answers = (body: string, status = 200) => vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status })));

it('takes no other page for the answer to a write: it is made again', async () => {
  const api = createApi(createRest('', 'ann'), 'ann');
  answers('<!doctype html><title>Sign in to this network</title>');
  await expect(api.remove(7, null, 'key')).rejects.toMatchObject({ kind: 'unexpected' });
  await expect(api.loadSamples()).rejects.toMatchObject({ kind: 'unexpected' });
  answers('{"message":"Book deleted successfully"}');
  await expect(api.remove(7, null, 'key')).resolves.toEqual({ value: null, position: null });
});

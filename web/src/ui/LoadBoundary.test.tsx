import { render, screen } from '@testing-library/react';
import { lazy, Suspense } from 'react';
import { expect, it, vi } from 'vitest';
import { LoadBoundary } from './LoadBoundary';

it('keeps the page when a part of it cannot be loaded', async () => {
  vi.spyOn(console, 'error').mockImplementation(() => undefined); // React tells the console as well
  const Part = lazy(() => Promise.reject<{ default: () => null }>(new Error('offline')));
  render(
    <>
      <p>The shelf</p>
      <LoadBoundary>
        <Suspense fallback={null}>
          <Part />
        </Suspense>
      </LoadBoundary>
    </>,
  );
  expect((await screen.findByRole('alert')).textContent).toContain('could not be loaded');
  screen.getByRole('button', { name: 'Reload the page' });
  screen.getByText('The shelf');
});

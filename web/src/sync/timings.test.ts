import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ScreenTimings, type TimingSample } from './timings';

describe('times from action to screen', () => {
  const reports: (readonly TimingSample[])[] = [];
  let told: () => void = () => undefined;
  let timings: ScreenTimings;

  beforeEach(() => {
    vi.useFakeTimers();
    reports.length = 0;
    timings = new ScreenTimings({
      subscribe: (listener) => {
        told = listener;
        return () => undefined;
      },
      report: (samples) => {
        reports.push(samples);
        return Promise.reject(new Error('a report that fails is dropped'));
      },
      random: () => 0,
    });
    timings.start();
  });

  afterEach(() => {
    timings.stop();
    vi.useRealTimers();
  });

  it('are taken when the change has been painted, and reported together', async () => {
    const since = performance.now();
    const painted = timings.nextPaint();
    expect(timings.nextPaint()).toBe(painted);
    vi.advanceTimersByTime(30);
    told();
    await vi.advanceTimersByTimeAsync(50);
    timings.note('bookAdded', since, await painted);
    timings.note('bookUpdated', since, since + 12.34);
    expect(reports).toEqual([]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.map(({ event }) => event)).toEqual(['bookAdded', 'bookUpdated']);
    expect(reports[0]?.[0]?.milliseconds).toBeGreaterThanOrEqual(30);
    expect(reports[0]?.[1]?.milliseconds).toBe(12.3);
  });

  it('go out when the page is left, at most fifty at once', () => {
    for (let count = 0; count < 80; count += 1) timings.note('bookAdded', 0, 5);
    window.dispatchEvent(new Event('pagehide'));
    expect(reports.map(({ length }) => length)).toEqual([50]);
  });

  it('are not believed when they are impossible, or the page was hidden meanwhile', () => {
    timings.note('bookAdded', 10, 5);
    timings.note('bookAdded', 0, 700_000);
    const hidden = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    document.dispatchEvent(new Event('visibilitychange'));
    hidden.mockRestore();
    timings.note('bookAdded', performance.now() - 5, performance.now());
    timings.stop();
    expect(reports).toEqual([]);
  });
});

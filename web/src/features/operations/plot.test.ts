import { describe, expect, it } from 'vitest';
import { bytes, duration, number } from './format';
import { GROUPS } from './panels';
import { ceilingOf, drawArea, drawLine, newest, range } from './plot';

describe('a chart', () => {
  it('draws what is known and leaves out what is not', () => {
    expect(drawLine([0, 5, null, 10], 10, 30, 100)).toBe('M0 100L10 50M30 0h0');
    expect(drawArea([0, 5, null, 10], 10, 30, 100)).toBe('M0 100L0 100L10 50V100H0ZM30 100L30 0V100H30Z');
    expect(drawLine([], 10, 30, 100)).toBe('');
    expect(drawLine([null, null], 10, 30, 100)).toBe('');
  });

  it('never leaves its frame', () => {
    expect(drawLine([50], 10, 30, 100)).toBe('M0 0h0');
  });

  it.each([
    [[], 4, 5],
    [[null, 7], 4, 10],
    [[120], 4, 200],
    [[0.3], 0.1, 0.5],
    [[1_000], 4, 1_000],
  ])('has a scale for %j and at least %d: up to %d', (values, least, ceiling) => {
    expect(ceilingOf(values, least)).toBeCloseTo(ceiling);
  });

  it('has a scale of powers of two for bytes', () => {
    expect(ceilingOf([20 * 1024 * 1024], 0, 1024)).toBe(32 * 1024 * 1024);
    expect(ceilingOf([1023], 0, 1024)).toBe(1024);
  });

  it('tells the newest value and how old it is', () => {
    expect(newest([1, 2, null])).toEqual({ value: 2, age: 1 });
    expect(newest([null])).toBeNull();
    expect(range([3, null, 1])).toEqual({ lowest: 1, highest: 3 });
    expect(range([])).toBeNull();
  });

  it('shows each indicator once', () => {
    const shown = GROUPS.flatMap(({ panels }) => panels.flatMap(({ lines }) => lines.map(({ series }) => series)));
    expect(new Set(shown).size).toBe(shown.length);
  });
});

describe('words for numbers', () => {
  it('keep three digits that count', () => {
    expect([0, 0.254, 4.26, 43.21, 1204.4].map(number)).toEqual(['0', '0.25', '4.26', '43.2', '1,204']);
    expect([640, 13_002_343].map(bytes)).toEqual(['640 B', '12.4 MiB']);
    expect([0.42, 2_300].map(duration)).toEqual(['0.42 ms', '2.3 s']);
  });
});

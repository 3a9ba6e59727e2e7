import { describe, expect, it } from 'vitest';
import { CLOTHS } from './design';

/** WCAG 2.2, "relative luminance". */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((from) => parseInt(colour.slice(from, from + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

describe('book cloths', () => {
  it.each(CLOTHS.map(({ cloth, ink }) => [cloth, ink]))('%s lets %s be read', (cloth, ink) => {
    const [light, dark] = [luminance(cloth), luminance(ink)].sort((a, b) => b - a) as [number, number];
    expect((light + 0.05) / (dark + 0.05)).toBeGreaterThanOrEqual(4.5);
  });
});

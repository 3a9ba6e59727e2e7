/** A value of a series; null where nothing is known. */
export type Value = number | null;

/**
 * The line through values that are evenly spaced over `width`, with a gap where nothing is known.
 * A value between two gaps is a dot (of no length: its round cap is what one sees).
 */
export function drawLine(values: readonly Value[], ceiling: number, width: number, height: number): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = '';
  let pen = false;
  values.forEach((value, index) => {
    if (value === null) {
      pen = false;
      return;
    }
    const x = round(index * step);
    const y = round(height - (Math.min(value, ceiling) / ceiling) * height);
    const alone = !pen && (values[index + 1] ?? null) === null;
    path += `${pen ? 'L' : 'M'}${x} ${y}${alone ? 'h0' : ''}`;
    pen = true;
  });
  return path;
}

/** The same line, closed along the bottom, stretch by stretch. */
export function drawArea(values: readonly Value[], ceiling: number, width: number, height: number): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let path = '';
  let from: number | null = null;
  values.forEach((value, index) => {
    if (value === null) return;
    const x = round(index * step);
    const y = round(height - (Math.min(value, ceiling) / ceiling) * height);
    if (from === null) {
      from = x;
      path += `M${x} ${height}`;
    }
    path += `L${x} ${y}`;
    if ((values[index + 1] ?? null) === null) {
      path += `V${height}H${from}Z`;
      from = null;
    }
  });
  return path;
}

/** The top of a scale that begins at 0: 1, 2 or 5 times a power of ten (of two for bytes), at or above everything that is shown. */
export function ceilingOf(values: readonly Value[], least: number, base: 10 | 1024 = 10): number {
  let largest = least;
  for (const value of values) if (value !== null && value > largest) largest = value;
  if (largest <= 0) return 1;
  const unit = base === 10 ? 10 ** Math.floor(Math.log10(largest)) : 1024 ** Math.floor(Math.log2(largest) / 10);
  const steps = base === 10 ? [1, 2, 5, 10] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
  return unit * (steps.find((step) => step * unit >= largest) ?? steps.at(-1) ?? 1);
}

/** The newest value that is known, and how many steps before the last it lies; null when none is. */
export function newest(values: readonly Value[]): { readonly value: number; readonly age: number } | null {
  for (let index = values.length - 1; index >= 0; index -= 1) {
    const value = values[index] ?? null;
    if (value !== null) return { value, age: values.length - 1 - index };
  }
  return null;
}

/** The smallest and the largest value that are known; null when none is. */
export function range(values: readonly Value[]): { readonly lowest: number; readonly highest: number } | null {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === null) continue;
    lowest = Math.min(lowest, value);
    highest = Math.max(highest, value);
  }
  return lowest > highest ? null : { lowest, highest };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

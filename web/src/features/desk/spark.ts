/** One value that a number had, from `at` on. */
export interface Point {
  readonly at: number;
  readonly value: number;
}

export interface Spark {
  /** The line, as steps: a count does not glide. */
  readonly line: string;
  /** The same, closed along the bottom. */
  readonly area: string;
  readonly end: { readonly x: number; readonly y: number };
  readonly lowest: number;
  readonly highest: number;
}

/** Draws points over the `span` milliseconds up to `now` on a field of the given size. Null when there is nothing to draw. */
export function drawSpark(points: readonly Point[], now: number, span: number, width: number, height: number): Spark | null {
  const last = points.at(-1);
  if (!last) return null;
  const values = points.map((point) => point.value);
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  // One book more among fifty is a small step, not a cliff.
  const range = Math.max(highest - lowest, 4, highest * 0.1);
  const floor = Math.max(0, (highest + lowest - range) / 2);
  const pad = 3;
  const x = (at: number) => round(Math.max(0, Math.min(1, 1 - (now - at) / span)) * width);
  const y = (value: number) => round(pad + (1 - (value - floor) / range) * (height - 2 * pad));
  let line = '';
  let previous: Point | null = null;
  for (const point of points) {
    if (previous === null) line = `M${x(point.at)} ${y(point.value)}`;
    else line += `H${x(point.at)}V${y(point.value)}`;
    previous = point;
  }
  line += `H${width}`;
  const first = points[0] ?? last;
  return { line, area: `${line}V${height}H${x(first.at)}Z`, end: { x: width, y: y(last.value) }, lowest, highest };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

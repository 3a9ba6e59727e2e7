/** A point in the server's log: which log, and how far into it. Written `<epoch>-<sequence>`. */
export interface Position {
  readonly epoch: string;
  readonly sequence: number;
}

/** Null for anything that is not a position, so that a foreign server's arguments do no harm. */
export function parsePosition(value: unknown): Position | null {
  if (typeof value !== 'string') return null;
  const dash = value.lastIndexOf('-');
  if (dash < 1) return null;
  const digits = value.slice(dash + 1);
  if (!/^\d{1,16}$/.test(digits)) return null;
  return { epoch: value.slice(0, dash), sequence: Number(digits) };
}

/** Whether a catalogue at `at` already contains everything up to `point`. Another epoch is another history. */
export function reaches(at: Position | null, point: Position): boolean {
  return at !== null && at.epoch === point.epoch && at.sequence >= point.sequence;
}

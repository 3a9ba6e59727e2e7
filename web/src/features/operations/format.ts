const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const hundredth = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** Three digits that count: "1,204", "43", "4.3", "0.25". */
export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return whole.format(value);
  return size >= 10 ? tenth.format(value) : hundredth.format(value);
}

const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** "640 B", "12.4 MiB". */
export function bytes(value: number): string {
  let rest = value;
  let size = 0;
  while (rest >= 1024 && size < SIZES.length - 1) {
    rest /= 1024;
    size += 1;
  }
  return `${size === 0 ? whole.format(rest) : number(rest)} ${SIZES[size] ?? ''}`;
}

/** "0.4 ms", "120 ms", "2.3 s". */
export function duration(milliseconds: number): string {
  return milliseconds < 1_000 ? `${number(milliseconds)} ms` : `${number(milliseconds / 1_000)} s`;
}

export function perSecond(value: number): string {
  return `${number(value)}/s`;
}

export function bytesPerSecond(value: number): string {
  return `${bytes(value)}/s`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

/** When a value of a history with steps of so many milliseconds was. */
export function moment(at: number, step: number): string {
  return (step < 60_000 ? clock : step < 3_600_000 ? minute : day).format(at);
}

export function timeOfDay(at: number): string {
  return clock.format(at);
}

export function dayAndTime(at: number): string {
  return day.format(at);
}

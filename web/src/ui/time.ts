const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The interface is English; an English-speaking reader's own region decides how dates are written. */
const locale = typeof navigator !== 'undefined' && navigator.language.startsWith('en') ? navigator.language : 'en-GB';

const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'long' });
const dayMonth = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const dayMonthYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });
const days = new Intl.NumberFormat(locale, { style: 'unit', unit: 'day', unitDisplay: 'long' });
const hours = new Intl.NumberFormat(locale, { style: 'unit', unit: 'hour', unitDisplay: 'long' });
const minutes = new Intl.NumberFormat(locale, { style: 'unit', unit: 'minute', unitDisplay: 'long' });

/** Whole calendar days from `now` to `time`, in the viewer's time zone. */
function calendarDays(time: number, now: number): number {
  const midnight = (at: number) => new Date(at).setHours(0, 0, 0, 0);
  return Math.round((midnight(time) - midnight(now)) / DAY);
}

/** "14:30" today, "12 Dec, 14:30" on another day. For moments to come, or gone. */
export function until(time: number, now: number): string {
  return calendarDays(time, now) === 0 ? clock.format(time) : `${dayMonth.format(time)}, ${clock.format(time)}`;
}

/** "today at 14:30", "tomorrow", "Friday", "12 Dec". For moments to come. */
export function whenDue(iso: string, now: number): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso;
  const away = calendarDays(time, now);
  if (away <= 0) return `${relative.format(0, 'day')} at ${clock.format(time)}`;
  if (away === 1) return relative.format(1, 'day');
  if (away < 7) return weekday.format(time);
  return new Date(time).getFullYear() === new Date(now).getFullYear() ? dayMonth.format(time) : dayMonthYear.format(time);
}

/** "3 days overdue". */
export function howOverdue(iso: string, now: number): string {
  const late = now - Date.parse(iso);
  if (!(late >= MINUTE)) return 'overdue now';
  const away = -calendarDays(Date.parse(iso), now);
  if (away >= 1 && late >= 12 * HOUR) return `${days.format(away)} overdue`;
  if (late >= HOUR) return `${hours.format(Math.floor(late / HOUR))} overdue`;
  return `${minutes.format(Math.floor(late / MINUTE))} overdue`;
}

/** "now", "2 minutes ago", "yesterday". */
export function ago(time: number, now: number): string {
  const past = Math.max(0, now - time);
  if (past < 10_000) return 'just now';
  if (past < MINUTE) return relative.format(-Math.round(past / 1000), 'second');
  if (past < HOUR) return relative.format(-Math.round(past / MINUTE), 'minute');
  if (past < DAY) return relative.format(-Math.round(past / HOUR), 'hour');
  return relative.format(-Math.round(past / DAY), 'day');
}

/** "at 14:30, 2 minutes ago", "on 12 Dec at 14:30, 3 days ago". */
export function asOf(time: number, now: number): string {
  const day = calendarDays(time, now) === 0 ? '' : `on ${dayMonth.format(time)} `;
  return `${day}at ${clock.format(time)}, ${ago(time, now)}`;
}

/** The whole truth, for a tooltip. */
export function exactly(iso: string): string {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? iso : exact.format(time);
}

/** For a datetime-local field, in the viewer's time zone; '' for none. */
export function toField(iso: string | null): string {
  if (iso === null) return '';
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return '';
  const local = new Date(time.getTime() - time.getTimezoneOffset() * MINUTE);
  return local.toISOString().slice(0, 16);
}

/** From a datetime-local field; null for an empty or impossible one. */
export function fromField(value: string): string | null {
  if (value === '') return null;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

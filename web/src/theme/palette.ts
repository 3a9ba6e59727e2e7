/**
 * The colours, by role. Paper and ink, one accent (bottle green, the cloth of reading-room lamps),
 * and the red of a date stamp for what is overdue or cannot be undone.
 */
export interface Roles {
  /** The page. */
  surface: string;
  /** What lies on it: slips, dialogs. */
  raised: string;
  /** Wells: fields, tracks. */
  sunken: string;
  line: string;
  lineStrong: string;
  ink: string;
  muted: string;
  accent: string;
  onAccent: string;
  accentSoft: string;
  live: string;
  waiting: string;
  danger: string;
  onDanger: string;
  dangerSoft: string;
  /** A changed field, for a moment. */
  glow: string;
  shade: string;
}

export const light: Roles = {
  surface: '#f5efe3',
  raised: '#fdfaf3',
  sunken: '#ece4d3',
  line: '#ddd2bd',
  lineStrong: '#9a8e79',
  ink: '#211c15',
  muted: '#665d4e',
  accent: '#1c5b4a',
  onAccent: '#fdfaf3',
  accentSoft: '#dfe8da',
  live: '#2c7a5f',
  waiting: '#96650b',
  danger: '#9d3323',
  onDanger: '#fdfaf3',
  dangerSoft: '#f5dfd3',
  glow: '#f3d98a',
  shade: '60 44 20',
};

export const dark: Roles = {
  surface: '#161410',
  raised: '#1f1c17',
  sunken: '#0f0d0a',
  line: '#37322a',
  lineStrong: '#7a7060',
  ink: '#ece4d4',
  muted: '#aba08d',
  accent: '#8ccbb0',
  onAccent: '#0e211a',
  accentSoft: '#20342b',
  live: '#7cc9a5',
  waiting: '#e0b25c',
  danger: '#f0957e',
  onDanger: '#2b0f08',
  dangerSoft: '#41211a',
  glow: '#5d4c1c',
  shade: '0 0 0',
};

/** Drawn on a 24 grid with a 1.6 line, so that all icons look like one hand's. */
const PATHS = {
  add: 'M12 5v14M5 12h14',
  search: 'M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12ZM15 15l5 5',
  close: 'M6 6l12 12M18 6 6 18',
  heart: 'M12 19.5s-7.5-4.3-7.5-10A4.1 4.1 0 0 1 12 7.2a4.1 4.1 0 0 1 7.5 2.3c0 5.7-7.5 10-7.5 10Z',
  edit: 'M4.5 19.5l.9-4L16 4.9a1.6 1.6 0 0 1 2.3 0l.8.8a1.6 1.6 0 0 1 0 2.3L8.5 18.6l-4 .9ZM14 7l3 3',
  remove: 'M5 7h14M9.5 7V5h5v2M7 7l.8 12.5h8.4L17 7M10.3 10.5v5.5M13.7 10.5v5.5',
  lend: 'M4 12h13M12.5 7.5 17 12l-4.5 4.5M20 5v14',
  giveBack: 'M20 12H7M11.5 7.5 7 12l4.5 4.5M4 5v14',
  leave: 'M10 5H5v14h5M15.5 8 19.5 12l-4 4M19.5 12H10',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM12 8v4.3l3 1.7',
  overdue: 'M12 4.5 20.5 19h-17L12 4.5ZM12 10v4.2M12 16.7v.1',
  outbox: 'M4.5 14v5h15v-5M12 14.5V5M8 8.8 12 4.8l4 4',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  menu: 'M4.5 8h15M4.5 16h15',
  covers: 'M5 5h5.5v14H5zM13.5 5H19v14h-5.5z',
  rows: 'M5 6.5h14M5 12h14M5 17.5h14',
  sort: 'M7.5 5v14M4 15.5 7.5 19l3.5-3.5M16.5 19V5M13 8.5 16.5 5 20 8.5',
  up: 'M12 19V6M6.5 11 12 5.5 17.5 11',
  keyboard: 'M3.5 7h17v10h-17zM7 10.2v.1M10.3 10.2v.1M13.7 10.2v.1M17 10.2v.1M8 13.8h8',
  person: 'M12 12a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6ZM5 19.8c.6-3.4 3.4-5.2 7-5.2s6.4 1.8 7 5.2',
  eye: 'M3 12s3.2-6 9-6 9 6 9 6-3.2 6-9 6-9-6-9-6ZM12 9.3a2.7 2.7 0 1 0 0 5.4 2.7 2.7 0 0 0 0-5.4',
  bookmark: 'M7 4.5h10v15l-5-3.6-5 3.6z',
  down: 'M6.5 9.5 12 15l5.5-5.5',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 3v1.6M12 19.4V21M3 12h1.6M19.4 12H21M5.6 5.6l1.2 1.2M17.2 17.2l1.2 1.2M18.4 5.6l-1.2 1.2M6.8 17.2l-1.2 1.2',
  moon: 'M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7Z',
  system: 'M4 5.5h16v10H4zM9 19.5h6M12 15.5v4',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration beside a word or a label; never the only thing that says something. */
export function Icon({ name, size = 20, filled = false }: { name: IconName; size?: number; filled?: boolean }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill={filled ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
      style={{ flex: 'none', display: 'block' }}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

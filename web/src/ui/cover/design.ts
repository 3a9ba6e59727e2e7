/** Book cloths with an ink that reads on each (4.5:1 and more) and a second colour for ornament. */
export const CLOTHS = [
  { cloth: '#22463c', ink: '#f1e6c8', second: '#c9a45c' },
  { cloth: '#7c2f27', ink: '#f7e7d2', second: '#e0a77c' },
  { cloth: '#27384f', ink: '#eee6d3', second: '#c2905a' },
  { cloth: '#e5d6b4', ink: '#3a2c1c', second: '#a6492f' },
  { cloth: '#4d2f45', ink: '#f3e4dc', second: '#cf9a8e' },
  { cloth: '#c0703a', ink: '#221006', second: '#f2d6a2' },
  { cloth: '#5b6238', ink: '#f5efd8', second: '#d9b968' },
  { cloth: '#d8c9c0', ink: '#32272b', second: '#7b3f4b' },
  { cloth: '#1e4a56', ink: '#ecebdc', second: '#d98f5c' },
  { cloth: '#d9b24f', ink: '#2f240c', second: '#6f3d1d' },
  { cloth: '#35312d', ink: '#efe5d2', second: '#b5553c' },
  { cloth: '#a9b8a4', ink: '#1f2b22', second: '#2f5a4a' },
  { cloth: '#8f4a52', ink: '#fbeee4', second: '#efc59b' },
  { cloth: '#c7d0d3', ink: '#22303a', second: '#8a4a35' },
] as const;

/** Each with the width that it leaves for the title, in hundredths of the cover's. */
export const LAYOUTS = [
  { name: 'frame', room: 66 },
  { name: 'band', room: 76 },
  { name: 'label', room: 71 },
  { name: 'motif', room: 86 },
  { name: 'rule', room: 64 },
  { name: 'window', room: 90 },
] as const;
export const MOTIFS = ['sun', 'arcs', 'waves', 'hills', 'moons', 'leaves'] as const;

export interface CoverDesign {
  readonly cloth: (typeof CLOTHS)[number];
  readonly layout: (typeof LAYOUTS)[number]['name'];
  readonly motif: (typeof MOTIFS)[number];
  /** Of the title, in hundredths of the cover's width. */
  readonly titleSize: number;
  /** From 0 up to 1: shifts and turns the ornament a little. */
  readonly turn: number;
}

/** The same title and author give the same cover, on every machine. One author's books share their cloth's family by chance only. */
export function designCover(title: string, author: string): CoverDesign {
  const seed = hash(`${title} ${author}`);
  const layout = LAYOUTS[(seed >>> 5) % LAYOUTS.length] ?? LAYOUTS[0];
  return {
    cloth: CLOTHS[seed % CLOTHS.length] ?? CLOTHS[0],
    layout: layout.name,
    motif: MOTIFS[(seed >>> 11) % MOTIFS.length] ?? 'sun',
    titleSize: sizeOf(title, layout.room),
    turn: ((seed >>> 17) % 97) / 97,
  };
}

function sizeOf(title: string, room: number): number {
  const longest = Math.max(...title.split(/[\s-]+/).map((word) => word.length));
  const byLength = title.length <= 10 ? 16 : title.length <= 22 ? 13 : title.length <= 40 ? 10.6 : title.length <= 80 ? 8.4 : 6.6;
  // A serif letter is about 0.56 em wide, and a word should stay in one piece.
  return Math.max(5.4, Math.min(byLength, room / (0.56 * Math.max(longest, 1))));
}

/** FNV-1a with a final mix, so that titles which differ in one letter differ in every bit. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value ^= text.charCodeAt(index);
    value = Math.imul(value, 0x01000193);
  }
  value ^= value >>> 16;
  value = Math.imul(value, 0x7feb352d);
  value ^= value >>> 15;
  value = Math.imul(value, 0x846ca68b);
  return (value ^ (value >>> 16)) >>> 0;
}

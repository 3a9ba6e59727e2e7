import type { CoverDesign } from './design';

/** Ornaments on a 100 × 100 field, in the cover's second colour. */
export function Motif({ design, className }: { design: CoverDesign; className: string | undefined }) {
  const { cloth, motif, turn } = design;
  return (
    <svg className={className} viewBox="0 0 100 100" preserveAspectRatio="xMidYMid slice" fill="none" stroke={cloth.second} strokeWidth="1.4">
      {draw(motif, turn, cloth.second)}
    </svg>
  );
}

function draw(motif: CoverDesign['motif'], turn: number, colour: string) {
  switch (motif) {
    case 'sun': {
      const rays = 16 + Math.round(turn * 8) * 2;
      return (
        <>
          <circle cx="50" cy="52" r="15" fill={colour} stroke="none" />
          {Array.from({ length: rays }, (_, ray) => {
            const angle = (ray / rays) * 2 * Math.PI;
            const far = ray % 2 ? 30 : 38;
            return <line key={ray} x1={50 + 20 * Math.cos(angle)} y1={52 + 20 * Math.sin(angle)} x2={50 + far * Math.cos(angle)} y2={52 + far * Math.sin(angle)} />;
          })}
        </>
      );
    }
    case 'arcs':
      return Array.from({ length: 7 }, (_, ring) => <circle key={ring} cx={turn > 0.5 ? 100 : 0} cy="100" r={14 + ring * 13} strokeWidth={ring % 2 ? 1 : 4} />);
    case 'waves':
      return Array.from({ length: 8 }, (_, row) => {
        const y = 14 + row * 11;
        const shift = (row % 2) * 12.5 + turn * 12;
        return <path key={row} d={`M${-37 + shift} ${y}${' q6.25 -8 12.5 0 t12.5 0'.repeat(6)}`} />;
      });
    case 'hills':
      return (
        <>
          <circle cx={30 + turn * 40} cy="36" r="11" fill={colour} stroke="none" />
          <path d="M-5 78 Q20 48 48 70 T105 58 V105 H-5Z" fill={colour} stroke="none" opacity="0.55" />
          <path d="M-5 90 Q30 66 60 84 T105 80 V105 H-5Z" fill={colour} stroke="none" />
        </>
      );
    case 'moons':
      return Array.from({ length: 5 }, (_, phase) => {
        const x = 14 + phase * 18;
        return (
          <g key={phase}>
            <circle cx={x} cy="50" r="7" />
            <path d={`M${x} 43 A7 7 0 0 1 ${x} 57 A${Math.abs(phase - 2) * 3.4 + 0.1} 7 0 0 ${phase < 2 ? 1 : 0} ${x} 43`} fill={colour} stroke="none" />
          </g>
        );
      });
    case 'leaves':
      return (
        <g transform={`rotate(${turn * 14 - 7} 50 50)`}>
          <path d="M50 96 V10" />
          {Array.from({ length: 6 }, (_, pair) => {
            const y = 84 - pair * 13;
            const reach = 26 - pair * 2.6;
            return (
              <g key={pair} fill={colour} stroke="none">
                <path d={`M50 ${y} q${reach * 0.4} ${-reach * 0.75} ${reach} ${-reach * 0.6} q${-reach * 0.2} ${reach * 0.6} ${-reach} ${reach * 0.6}`} />
                <path d={`M50 ${y} q${-reach * 0.4} ${-reach * 0.75} ${-reach} ${-reach * 0.6} q${reach * 0.2} ${reach * 0.6} ${reach} ${reach * 0.6}`} />
              </g>
            );
          })}
        </g>
      );
  }
}

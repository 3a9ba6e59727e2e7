import { describe, expect, it } from 'vitest';
import type { ChangeKind, Difference } from './catalogue';
import { OwnWrites } from './ownWrites';

const event = (kind: ChangeKind, bookId: number, sequence: number) =>
  ({ kind, bookId, position: { epoch: 'e', sequence } }) as unknown as Difference;

describe('whose doing an event is', () => {
  it('knows its own by the position of the answer', () => {
    const own = new OwnWrites();
    const flight = own.begin('favorite', 7);
    own.succeed(flight, 12);
    expect(own.originOf(event('favorite', 7, 12))).toBe(flight);
    expect(own.originOf(event('favorite', 7, 13))).toBe('remote');
  });

  it("does not take somebody else's change for its own when its write changed nothing", () => {
    const own = new OwnWrites();
    own.succeed(own.begin('favorite', 7), 12); // the answer tells the position that it found
    expect(own.originOf(event('favorite', 8, 12))).toBe('remote');
    expect(own.originOf(event('change', 7, 12))).toBe('remote');
  });

  it('does not guess while an answer is under way', () => {
    const own = new OwnWrites();
    const flight = own.begin('change', 7);
    expect(own.originOf(event('change', 7, 5))).toBe('unknown');
    own.fail(flight);
    expect(own.originOf(event('change', 7, 6))).toBe('remote');
  });
});

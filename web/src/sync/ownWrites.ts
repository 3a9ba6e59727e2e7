import type { ChangeKind, Difference } from './catalogue';

export interface Flight {
  readonly kind: ChangeKind;
  readonly bookId: number | null;
  /** When it went out, on the clock of performance.now(); null once it had to be sent again. */
  since: number | null;
}

/** How many finished writes are remembered while their events are awaited. */
const REMEMBERED = 200;

/** The own write that a change is the doing of, or that it is nobody's here, or not known yet whose. */
export type Origin = Flight | 'remote' | 'unknown';

/**
 * Tells which events of the stream are this tab's own doing. Events name no author, so they are
 * told by the log sequence that the answer to the write carried, or, where the server gives none,
 * by the next event of that kind for that book. While an answer is under way the origin of what it
 * may have caused is unknown.
 */
export class OwnWrites {
  readonly #flights = new Set<Flight>();
  readonly #answered = new Map<number, Flight>();
  readonly #expected: Flight[] = [];

  begin(kind: ChangeKind, bookId: number | null): Flight {
    const flight = { kind, bookId, since: performance.now() };
    this.#flights.add(flight);
    return flight;
  }

  fail(flight: Flight): void {
    this.#flights.delete(flight);
  }

  /** `sequence` is null when the answer did not tell it. */
  succeed(flight: Flight, sequence: number | null): void {
    this.#flights.delete(flight);
    if (sequence !== null && sequence > 0) {
      this.#answered.set(sequence, flight);
      forgetOldest(this.#answered, REMEMBERED);
    } else {
      this.#expected.push(flight);
      if (this.#expected.length > REMEMBERED) this.#expected.shift();
    }
  }

  /** Whose change this is. An expectation is used up by the event that meets it. */
  originOf(difference: Difference): Origin {
    const { kind, bookId } = difference;
    const causes = (flight: Flight) => flight.kind === kind && (flight.bookId === null || flight.bookId === bookId);
    const answered = difference.position === null ? undefined : this.#answered.get(difference.position.sequence);
    // A write that changed nothing carries the position that it found: somebody else's doing.
    if (answered !== undefined && causes(answered)) return answered;
    const met = this.#expected.find((flight) => flight.kind === kind && flight.bookId === bookId);
    if (met !== undefined) {
      this.#expected.splice(this.#expected.indexOf(met), 1);
      return met;
    }
    for (const flight of this.#flights) {
      if (causes(flight)) return 'unknown';
    }
    return 'remote';
  }
}

function forgetOldest(answered: Map<number, Flight>, limit: number): void {
  for (const sequence of answered.keys()) {
    if (answered.size <= limit) return;
    answered.delete(sequence);
  }
}

import { describe, expect, it } from 'vitest';
import { parseBook, type Book } from './book';
import { Catalogue, type CatalogueEvent } from './catalogue';
import { parsePosition, type Position } from './position';

const at = (sequence: number): Position => ({ epoch: 'e', sequence });

function book(id: number, version: number, more: Partial<Book> = {}): Book {
  return {
    id,
    title: `Book ${id}`,
    author: 'Author',
    readerName: null,
    returnDateTime: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    version,
    favoritesCount: 0,
    favorite: false,
    ...more,
  };
}

function loaded(books: Book[], sequence: number): Catalogue {
  const catalogue = new Catalogue();
  catalogue.reset({ books, position: at(sequence) }, false);
  return catalogue;
}

const added = (b: Book): CatalogueEvent => ({ type: 'bookAdded', book: b, position: at(b.version) });
const updated = (b: Book): CatalogueEvent => ({ type: 'bookUpdated', book: b, position: at(b.version) });
const titles = (catalogue: Catalogue) => catalogue.books.map((b) => b.title).sort();

describe('an answer and its event', () => {
  it('shows an added book once, whichever comes first', () => {
    const first = loaded([], 4);
    first.answerWrite(book(1, 5));
    expect(titles(first)).toEqual(['Book 1']);
    first.apply(added(book(1, 5)));
    expect(titles(first)).toEqual(['Book 1']);

    const second = loaded([], 4);
    second.apply(added(book(1, 5)));
    second.answerWrite(book(1, 5));
    expect(titles(second)).toEqual(['Book 1']);
  });

  it('never goes back to an older version while events catch up with an answer', () => {
    const catalogue = loaded([book(1, 1)], 1);
    catalogue.answerWrite(book(1, 9, { title: 'mine' }));
    catalogue.apply(updated(book(1, 5, { title: 'theirs, before' })));
    expect(titles(catalogue)).toEqual(['mine']);
    catalogue.apply(updated(book(1, 9, { title: 'mine' })));
    catalogue.apply(updated(book(1, 12, { title: 'theirs, after' })));
    expect(titles(catalogue)).toEqual(['theirs, after']);
  });

  it('keeps a deleted book away while older events about it arrive', () => {
    const catalogue = loaded([book(1, 1)], 1);
    catalogue.answerDelete(1, null);
    catalogue.apply(updated(book(1, 5)));
    expect(titles(catalogue)).toEqual([]);
    catalogue.apply({ type: 'bookDeleted', book: book(1, 5), position: at(6) });
    expect(titles(catalogue)).toEqual([]);
    catalogue.apply(added(book(1, 7)));
    expect(titles(catalogue)).toEqual(['Book 1']);
  });

  it('takes the deletion of a book that it never had, as a replay that was cut may bring it', () => {
    const catalogue = loaded([book(1, 1)], 1);
    const deleted = catalogue.apply({ type: 'bookDeleted', book: book(2, 2), position: at(3) });
    expect(deleted).toMatchObject({ kind: 'remove', bookId: 2, after: null });
    expect(titles(catalogue)).toEqual(['Book 1']);
    expect(catalogue.position).toEqual(at(3));
  });

  it('notes whose favourite it was, though events tell counts only', () => {
    for (const position of [null, at(2)]) {
      for (const answerFirst of [true, false]) {
        const catalogue = loaded([book(1, 1)], 1);
        const event: CatalogueEvent = { type: 'favoriteUpdated', bookId: 1, favoritesCount: 1, position: at(2) };
        if (!answerFirst) catalogue.apply(event);
        catalogue.answerFavorite(1, true, 1, position);
        expect(catalogue.get(1)).toMatchObject({ favorite: true, favoritesCount: 1 });
        if (answerFirst) catalogue.apply(event);
        catalogue.apply({ type: 'favoriteUpdated', bookId: 1, favoritesCount: 2, position: at(3) });
        expect(catalogue.get(1)).toMatchObject({ favorite: true, favoritesCount: 2 });
      }
    }
  });
});

describe('a snapshot', () => {
  it('lets newer answers stand and older ones go', () => {
    const catalogue = loaded([book(1, 1)], 1);
    catalogue.answerWrite(book(1, 8, { title: 'new' }));
    catalogue.answerWrite(book(2, 3, { title: 'since removed by somebody' }));
    catalogue.reset({ books: [book(1, 1)], position: at(5) }, false);
    expect(titles(catalogue)).toEqual(['new']);
    catalogue.reset({ books: [book(1, 9, { title: 'newer' })], position: at(9) }, false);
    expect(titles(catalogue)).toEqual(['newer']);
  });

  it('of another log replaces everything', () => {
    const catalogue = loaded([book(1, 50)], 50);
    catalogue.answerWrite(book(1, 51, { title: 'gone with the log' }));
    catalogue.reset({ books: [book(7, 2)], position: { epoch: 'other', sequence: 2 } }, false);
    expect(titles(catalogue)).toEqual(['Book 7']);
  });

  it('tells what is different from before', () => {
    const catalogue = loaded([book(1, 1), book(2, 2), book(3, 3)], 3);
    const differences = catalogue.reset({ books: [book(1, 1), book(2, 5), book(4, 6)], position: at(6) }, true);
    expect(differences.map(({ kind, bookId }) => [kind, bookId])).toEqual([['change', 2], ['add', 4], ['remove', 3]]);
  });
});

describe('any order', () => {
  // A small generator of our own: the same seed plays the same game again.
  function randomFrom(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  it('of answers, snapshots and repeated events ends at the state of the log, shows no book twice and takes no answer back', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = randomFrom(seed);
      const truth = new Map<number, Book>();
      const events: CatalogueEvent[] = [];
      /** Answers to own writes: free to arrive at any time after they happened. */
      const answers: { after: number; give: (catalogue: Catalogue) => void }[] = [];
      const states: ReadonlyMap<number, Book>[] = [new Map()];
      for (let sequence = 1; sequence <= 40; sequence += 1) {
        const id = 1 + Math.floor(random() * 6);
        const known = truth.get(id);
        const own = random() < 0.4;
        const position = at(sequence);
        if (!known) {
          const fresh = book(id, sequence);
          truth.set(id, fresh);
          events.push({ type: 'bookAdded', book: fresh, position });
          if (own) answers.push({ after: sequence, give: (catalogue) => catalogue.answerWrite(fresh) });
        } else if (random() < 0.2) {
          truth.delete(id);
          events.push({ type: 'bookDeleted', book: known, position });
          if (own) answers.push({ after: sequence, give: (catalogue) => catalogue.answerDelete(id, position) });
        } else if (random() < 0.4) {
          const count = known.favoritesCount + 1;
          truth.set(id, { ...known, favoritesCount: count });
          events.push({ type: 'favoriteUpdated', bookId: id, favoritesCount: count, position });
          if (own) answers.push({ after: sequence, give: (catalogue) => catalogue.answerFavorite(id, known.favorite, count, position) });
        } else {
          const next = { ...known, version: sequence, title: `Book ${id} at ${sequence}` };
          truth.set(id, next);
          events.push({ type: 'bookUpdated', book: next, position });
          if (own) answers.push({ after: sequence, give: (catalogue) => catalogue.answerWrite(next) });
        }
        states.push(new Map(truth));
      }

      const catalogue = loaded([], 0);
      /** How much of the log has happened on the server, and how much of it the client was told. */
      let happened = 0;
      let told = 0;
      const newest = new Map<number, number>();
      while (told < events.length || answers.length > 0) {
        const dice = random();
        if (dice < 0.35 && happened < events.length) happened += 1;
        else if (dice < 0.6 && told < happened) {
          const event = events[told];
          told += 1;
          if (event) catalogue.apply(event);
        } else if (dice < 0.7 && told > 0) {
          const again = events[Math.floor(random() * told)];
          if (again && catalogue.apply(again) !== null) throw new Error(`seed ${seed}: an event was applied twice`);
        } else if (dice < 0.75) {
          // A snapshot from anywhere between what was told and what has happened.
          const sequence = told + Math.floor(random() * (happened - told + 1));
          catalogue.reset({ books: [...(states[sequence]?.values() ?? [])], position: at(sequence) }, false);
          told = sequence;
        } else {
          const ready = answers.findIndex((answer) => answer.after <= happened);
          if (ready >= 0) answers.splice(ready, 1)[0]?.give(catalogue);
        }
        const ids = catalogue.books.map((b) => b.id);
        if (new Set(ids).size !== ids.length) throw new Error(`seed ${seed}: a book is shown twice`);
        for (const b of catalogue.books) {
          const before = newest.get(b.id) ?? 0;
          if (b.version < before) throw new Error(`seed ${seed}: book ${b.id} went back from ${before} to ${b.version}`);
          newest.set(b.id, b.version);
        }
      }
      const plain = (books: Iterable<Book>) => [...books].sort((a, b) => a.id - b.id).map(({ id, title, version, favoritesCount }) => ({ id, title, version, favoritesCount }));
      expect(plain(catalogue.books), `seed ${seed}`).toEqual(plain(truth.values()));
    }
  });
});

describe('what comes off the wire', () => {
  it('is taken as a book, or not at all', () => {
    expect(parseBook({ id: 5, title: 'T', author: 'A', favorites: ['me', 'you'] }, 'me')).toMatchObject({
      favoritesCount: 2,
      favorite: true,
      readerName: null,
      version: 0,
    });
    for (const bad of [null, 3, 'book', {}, { id: '5', title: 'T', author: 'A' }, { id: 5, title: 7, author: 'A' }]) {
      expect(parseBook(bad, 'me')).toBeNull();
    }
  });

  it('is taken as a position, or not at all', () => {
    expect(parsePosition('a-b-12')).toEqual({ epoch: 'a-b', sequence: 12 });
    for (const bad of [null, 12, '', '-3', 'e-', 'e-x', 'e-1.5']) expect(parsePosition(bad)).toBeNull();
  });
});

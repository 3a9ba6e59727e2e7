import type { TimingSample } from './timings';
import { parseBook, type Book, type BookPatch, type Draft } from './book';
import type { Snapshot } from './catalogue';
import type { Position } from './position';
import { ApiError, type Rest } from './rest';

/** The answer to a write, with the position at which it is in the log when the server tells. */
export interface Answered<T> {
  readonly value: T;
  readonly position: Position | null;
}

/**
 * What the library asks of the server. Each rejects with ApiError and nothing else. `key` is the
 * Idempotency-Key of a write, `seen` the version that the person looked at: when the server's is a
 * later one, the write is refused with `changed`.
 */
export interface Api {
  snapshot(signal: AbortSignal): Promise<Snapshot>;
  book(id: number): Promise<Book>;
  add(draft: Draft, key: string): Promise<Answered<Book>>;
  change(id: number, patch: BookPatch, seen: Position | null, key: string): Promise<Answered<Book>>;
  remove(id: number, seen: Position | null, key: string): Promise<Answered<null>>;
  /** Sets, never toggles: saying it twice changes nothing. */
  setFavorite(id: number, favorite: boolean, key: string): Promise<Answered<number>>;
  loadSamples(): Promise<void>;
  reportTimings(samples: readonly TimingSample[]): Promise<void>;
}

export function createApi(rest: Rest, userId: string): Api {
  function bookFrom(body: unknown): Book {
    const book = parseBook(body, userId);
    if (book === null) throw new ApiError('unexpected', 'The server sent something that is not a book.');
    return book;
  }

  return {
    async snapshot(signal) {
      const { body, position } = await rest('GET /books', { signal });
      if (!Array.isArray(body)) throw new ApiError('unexpected', 'The server sent something that is not a catalogue.');
      const books: Book[] = [];
      for (const entry of body) {
        const book = parseBook(entry, userId);
        if (book !== null) books.push(book);
      }
      return { books, position };
    },
    async book(id) {
      const { body } = await rest('GET /books/{id}', { path: { id } });
      return bookFrom(body);
    },
    async add(draft, key) {
      const { body, position } = await rest('POST /books', { body: draft, headers: { 'Idempotency-Key': key } });
      return { value: bookFrom(body), position };
    },
    async change(id, patch, seen, key) {
      const { body, position } = await rest('PATCH /books/{id}', { path: { id }, body: patch, headers: { 'Idempotency-Key': key, ...ifMatch(seen) } });
      return { value: bookFrom(body), position };
    },
    async remove(id, seen, key) {
      const { position } = await rest('DELETE /books/{id}', { path: { id }, headers: { 'Idempotency-Key': key, ...ifMatch(seen) } });
      return { value: null, position };
    },
    async setFavorite(id, favorite, key) {
      const { body, position } = await rest(favorite ? 'PUT /books/{id}/favorite' : 'DELETE /books/{id}/favorite', {
        path: { id },
        body: { userId },
        headers: { 'Idempotency-Key': key },
      });
      const count: unknown = (body as Partial<typeof body> | null)?.favoritesCount;
      if (typeof count !== 'number') throw new ApiError('unexpected', 'The server sent no count.');
      return { value: count, position };
    },
    async loadSamples() {
      await rest('POST /samples');
    },
    async reportTimings(samples) {
      await rest('POST /timings', { body: { samples: [...samples] }, keepalive: true });
    },
  };
}

function ifMatch(seen: Position | null): Record<string, string> {
  // The last part counts favourites, which do not matter here.
  return seen === null ? {} : { 'If-Match': `"${seen.epoch}-${seen.sequence}-0"` };
}

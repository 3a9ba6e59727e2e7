import { useEffect, useRef, useState } from 'react';
import { useBooks, useConnection, usePending } from '../sync/react';
import { inWords, wordFor } from './connectionWords';

/** Long enough that a short drop is not worth a word. */
const PAUSE = 1_500;

/**
 * The app's one polite live region for what is not a toast: the connection's ups and downs and the
 * arrival of the catalogue. It is there, empty, from the start, because a region that comes with
 * its text is often not read.
 */
export function Announcer() {
  const connection = useConnection();
  const books = useBooks();
  const [said, setSaid] = useState('');
  const last = useRef<string | null>(null);
  const count = useRef(books.length);
  useEffect(() => {
    count.current = books.length;
  }, [books]);

  const word = wordFor(connection);
  useEffect(() => {
    const timer = setTimeout(() => {
      if (last.current === word) return;
      const first = last.current === null;
      last.current = word;
      if (word === 'Live') setSaid(first ? `Connected. ${count.current} books.` : 'Connected again. Everything is up to date.');
      else setSaid(`${word}.`);
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [word]);

  const refused = usePending().refused.length;
  const before = useRef(refused);
  useEffect(() => {
    const more = refused - before.current;
    before.current = refused;
    if (more <= 0) return;
    const timer = setTimeout(() => setSaid(`${inWords(more, 'change')} of yours refused by the library, and undone here.`), PAUSE);
    return () => clearTimeout(timer);
  }, [refused]);

  return (
    <div aria-live="polite" className="unseen" data-announcer="">
      {said}
    </div>
  );
}

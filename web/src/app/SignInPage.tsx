import Button from '@mui/material/Button';
import { useEffect, useRef } from 'react';
import { Icon } from '../ui/Icon';
import type { SessionState } from './session';
import styles from './SignInPage.module.css';
import { useSession } from './useSession';

type Reason = Extract<SessionState, { status: 'out' }>['reason'];

const WORDS: Readonly<Record<Reason, { title: string; what: string }>> = {
  needed: { title: 'Sign in to the library', what: 'This library knows its readers. You come in by a link of your own.' },
  expired: { title: 'Your sign-in has ended', what: 'Links hold for a while only, so that a forgotten browser does not stay open. Changes of yours that were waiting are kept here and go out when you are back.' },
  refused: { title: 'This link is not accepted', what: 'It may be cut short, be of another library, or have been replaced.' },
  left: { title: 'You are signed out', what: 'Nothing of the library is kept in this browser any more, but for changes of yours that had not gone out.' },
};

/** Where somebody is who may not see the library now, and what to do about it. */
export function SignInPage({ reason }: { reason: Reason }) {
  const session = useSession();
  const heading = useRef<HTMLHeadingElement>(null);
  const { title, what } = WORDS[reason];
  useEffect(() => {
    document.title = `${title} · Shelfcast`;
    heading.current?.focus();
  }, [title]);
  return (
    <main id="content" className={styles.page} data-sign-in={reason}>
      <svg viewBox="0 0 22 22" width="40" height="40" aria-hidden="true">
        <rect x="1" y="3" width="5.2" height="16" rx="1" className={styles.spineA} />
        <rect x="7.6" y="1" width="4.6" height="18" rx="1" className={styles.spineB} />
        <path d="m14 4.5 4-1 3.6 14.4-4 1z" className={styles.spineA} />
      </svg>
      <h1 ref={heading} tabIndex={-1} className={styles.title}>
        {title}
      </h1>
      <p className={styles.what}>{what}</p>
      <div className={styles.card}>
        <h2>
          <Icon name="person" size={18} /> What to do
        </h2>
        <p>Ask whoever runs the library for a link, and open it in this browser. This page then goes on by itself.</p>
        <p className={styles.operator}>
          You run it? On the server:
          <code>shelfcast token --user NAME --role owner --link</code>
        </p>
      </div>
      <Button variant="outlined" onClick={() => session.tryAgain()}>
        Try again
      </Button>
    </main>
  );
}

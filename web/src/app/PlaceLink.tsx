import type { MouseEvent, ReactNode } from 'react';
import { goTo, pathOf, useRoute, type Route } from './route';

interface Props {
  readonly to: Route;
  readonly className?: string | undefined;
  /** Says so where it leads to the present page. */
  readonly marksCurrent?: boolean;
  readonly children: ReactNode;
}

/** A link to a place of the app: a plain click moves within the page, any other stays the browser's. */
export function PlaceLink({ to, className, marksCurrent = false, children }: Props) {
  const route = useRoute();
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    goTo(to);
  };
  return (
    <a href={pathOf(to)} className={className} aria-current={marksCurrent && route === to ? 'page' : undefined} onClick={follow}>
      {children}
    </a>
  );
}

import { useCallback, useEffect, useRef, useState, type RefObject } from 'react';

/** How long after the last movement over the list somebody still aims at something. */
const AIMING = 2_000;

/** Tells whether the list has to hold still: part of it is scrolled away above, keyboard focus is in it, or a pointer aims at it. */
export function useStillness(list: RefObject<HTMLElement | null>, stickyHeight: () => number) {
  const [scrolledAway, setScrolledAway] = useState(false);
  const [keyboardInside, setKeyboardInside] = useState(false);
  const [aiming, setAiming] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);

  useEffect(() => {
    const look = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      setScrolledAway(window.scrollY > 0 && top < stickyHeight() - 8);
    };
    look();
    window.addEventListener('scroll', look, { passive: true });
    return () => window.removeEventListener('scroll', look);
  }, [list, stickyHeight]);

  const rest = useCallback(() => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = null;
    setAiming(false);
  }, []);
  useEffect(() => rest, [rest]);

  const aim = useCallback(() => {
    if (timer.current !== null) clearTimeout(timer.current);
    timer.current = setTimeout(rest, AIMING);
    setAiming(true);
  }, [rest]);

  // A click leaves the focus where it was for ever; only who moves it with keys is still there.
  const byKey = useRef(false);
  useEffect(() => {
    const key = () => {
      byKey.current = true;
    };
    const pointer = () => {
      byKey.current = false;
    };
    document.addEventListener('keydown', key, true);
    document.addEventListener('pointerdown', pointer, true);
    return () => {
      document.removeEventListener('keydown', key, true);
      document.removeEventListener('pointerdown', pointer, true);
    };
  }, []);

  const onFocus = useCallback(() => setKeyboardInside(byKey.current), []);
  const onBlur = useCallback(() => setKeyboardInside(false), []);

  return {
    hold: scrolledAway || keyboardInside || aiming,
    scrolledAway,
    handlers: { onPointerMove: aim, onPointerDown: aim, onPointerLeave: rest, onFocus, onBlur },
  };
}

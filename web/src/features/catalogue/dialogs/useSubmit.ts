import { useEffect, useRef, useState } from 'react';
import { sentence } from '../useBookActions';

/** Runs what a dialog's button does, once at a time, and keeps why it failed for the dialog to show. */
export function useSubmit() {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const mounted = useRef(true);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);

  async function submit(work: () => Promise<unknown>): Promise<void> {
    setBusy(true);
    setTrouble(null);
    try {
      await work();
    } catch (error) {
      if (mounted.current) setTrouble(sentence(error));
    } finally {
      if (mounted.current) setBusy(false);
    }
  }

  return { busy, trouble, submit };
}

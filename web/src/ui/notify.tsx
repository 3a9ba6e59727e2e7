import { closeSnackbar, enqueueSnackbar, SnackbarContent, SnackbarProvider, type SnackbarKey } from 'notistack';
import { forwardRef, type ReactNode } from 'react';
import { Icon, type IconName } from './Icon';
import { IconAction } from './IconAction';
import styles from './notify.module.css';
import { usePhone } from './Sheet';

interface ToastDetails {
  /** Who caused it: this tab, or somebody else. */
  origin: 'own' | 'remote';
  tone: 'plain' | 'trouble';
  icon: IconName;
  act?: { label: string; run: () => void } | undefined;
}

const Toast = forwardRef<HTMLDivElement, ToastDetails & { id: SnackbarKey; message: string }>(function Toast({ id, message, origin, tone, icon, act }, ref) {
  return (
    // notistack's own content is an alert, which interrupts; nothing here is that urgent.
    <SnackbarContent ref={ref} role="status" className={styles.toast} data-toast="" data-origin={origin} data-tone={tone}>
      <Icon name={icon} size={18} />
      <span className={styles.message}>{message}</span>
      {act && (
        <button
          type="button"
          className={styles.act}
          onClick={() => {
            closeSnackbar(id);
            act.run();
          }}
        >
          {act.label}
        </button>
      )}
      <IconAction label="Dismiss" icon="close" iconSize={16} onClick={() => closeSnackbar(id)} small />
    </SnackbarContent>
  );
});

/** Where toasts appear; at most three at a time, on a phone one. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const phone = usePhone();
  return (
    <SnackbarProvider
      maxSnack={phone ? 1 : 3}
      autoHideDuration={5_000}
      // On a phone sheets and the main button are below.
      anchorOrigin={phone ? { vertical: 'top', horizontal: 'center' } : { vertical: 'bottom', horizontal: 'left' }}
      classes={{ containerRoot: styles.container ?? '' }}
    >
      {children}
    </SnackbarProvider>
  );
}

/** Says something once, in passing. `replaces`: an earlier one that this says better. */
export function notify(message: string, details: Partial<ToastDetails> & { replaces?: SnackbarKey | undefined } = {}): SnackbarKey {
  const tone = details.tone ?? 'plain';
  const { origin = 'own', icon = tone === 'trouble' ? 'overdue' : 'check', act } = details;
  if (details.replaces !== undefined) closeSnackbar(details.replaces);
  return enqueueSnackbar(message, {
    content: (id) => <Toast id={id} message={message} origin={origin} tone={tone} icon={icon} act={act} />,
    autoHideDuration: tone === 'trouble' || act ? 8_000 : 5_000,
  });
}

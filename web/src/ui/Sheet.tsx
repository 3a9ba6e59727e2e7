import Dialog, { type DialogProps } from '@mui/material/Dialog';
import Slide from '@mui/material/Slide';
import type { TransitionProps } from '@mui/material/transitions';
import useMediaQuery from '@mui/material/useMediaQuery';
import { forwardRef, type ReactElement } from 'react';

const SlideUp = forwardRef<unknown, TransitionProps & { children: ReactElement }>(function SlideUp(props, ref) {
  return <Slide direction="up" ref={ref} {...props} />;
});

export function usePhone(): boolean {
  return useMediaQuery('(max-width: 599.95px)', { noSsr: true });
}

/** A dialog; on a phone a sheet that comes from below, within the thumb's reach. Focus goes back to where it came from. */
export function Sheet({ children, slotProps, slots, ...dialog }: DialogProps) {
  const phone = usePhone();
  return (
    <Dialog
      fullWidth
      maxWidth="xs"
      {...dialog}
      slots={{ ...slots, ...(phone ? { transition: SlideUp } : {}) }}
      slotProps={{
        ...slotProps,
        ...(phone
          ? {
              container: { sx: { alignItems: 'flex-end' } },
              paper: {
                sx: {
                  m: 0,
                  width: '100%',
                  maxWidth: '100%',
                  maxHeight: 'calc(100% - 32px)',
                  borderRadius: '16px 16px 0 0',
                  borderWidth: '1px 0 0',
                  paddingBottom: 'env(safe-area-inset-bottom)',
                },
              },
            }
          : {}),
      }}
    >
      {children}
    </Dialog>
  );
}

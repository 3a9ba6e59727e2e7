import IconButton, { type IconButtonProps } from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { Icon, type IconName } from './Icon';

interface Props extends Omit<IconButtonProps, 'children'> {
  /** The accessible name: what it does, to what. */
  label: string;
  /** Shown on hover; the short form of the label. */
  hint?: string;
  icon: IconName;
  filled?: boolean;
  iconSize?: number;
}

/** A button that is only an icon to the eye: named for everyone else, 40 px to the finger. */
export function IconAction({ label, hint, icon, filled = false, iconSize = 20, sx, ...button }: Props) {
  return (
    <Tooltip title={hint ?? label} describeChild={hint !== undefined && hint !== label}>
      <IconButton aria-label={label} color="inherit" {...button} sx={[{ width: 40, height: 40 }, ...(Array.isArray(sx) ? sx : [sx])]}>
        <Icon name={icon} filled={filled} size={iconSize} />
      </IconButton>
    </Tooltip>
  );
}

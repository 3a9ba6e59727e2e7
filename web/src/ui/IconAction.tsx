import IconButton, { type IconButtonProps } from '@mui/material/IconButton';
import Tooltip from '@mui/material/Tooltip';
import { Icon, type IconName } from './Icon';

interface Props extends Omit<IconButtonProps, 'children' | 'sx'> {
  /** The accessible name: what it does, to what. */
  label: string;
  /** Shown on hover; the short form of the label. */
  hint?: string;
  icon: IconName;
  filled?: boolean;
  iconSize?: number;
  /** 32 px instead of 40, inside of something small. */
  small?: boolean;
}

/** A button that is only an icon to the eye: named for everyone else, 40 px to the finger. */
export function IconAction({ label, hint, icon, filled = false, iconSize = 20, small = false, ...button }: Props) {
  return (
    <Tooltip title={hint ?? label} describeChild={hint !== undefined && hint !== label}>
      <IconButton aria-label={label} color="inherit" {...button} sx={{ width: small ? 32 : 40, height: small ? 32 : 40, flex: 'none' }}>
        <Icon name={icon} filled={filled} size={iconSize} />
      </IconButton>
    </Tooltip>
  );
}

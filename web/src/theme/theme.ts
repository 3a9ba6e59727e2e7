import { createTheme, type PaletteOptions } from '@mui/material/styles';
import { dark, light, type Roles } from './palette';

declare module '@mui/material/styles' {
  interface Palette {
    roles: Roles;
  }
  interface PaletteOptions {
    roles?: Roles;
  }
}

export const MODE_KEY = 'shelfcast.theme';

export const serif = "'Source Serif 4 Variable', 'Iowan Old Style', Georgia, serif";
const sans = "'Inter Variable', system-ui, sans-serif";

function palette(roles: Roles): PaletteOptions {
  return {
    roles,
    primary: { main: roles.accent, contrastText: roles.onAccent },
    secondary: { main: roles.muted, contrastText: roles.surface },
    error: { main: roles.danger, contrastText: roles.onDanger },
    warning: { main: roles.waiting, contrastText: roles.surface },
    background: { default: roles.surface, paper: roles.raised },
    text: { primary: roles.ink, secondary: roles.muted },
    divider: roles.line,
  };
}

/**
 * MUI carries the controls; their look is set here once: hairlines instead of elevation, no
 * ripples, sentence case, a focus ring that the whole app shares (global.css).
 */
export const theme = createTheme({
  cssVariables: { cssVarPrefix: 'sc', colorSchemeSelector: 'data-theme' },
  colorSchemes: { light: { palette: palette(light) }, dark: { palette: palette(dark) } },
  shape: { borderRadius: 8 },
  typography: {
    fontFamily: sans,
    fontSize: 14,
    h1: { fontFamily: serif, fontSize: '2rem', fontWeight: 560, lineHeight: 1.15, letterSpacing: '-0.015em' },
    h2: { fontFamily: serif, fontSize: '1.375rem', fontWeight: 580, lineHeight: 1.25, letterSpacing: '-0.008em' },
    h3: { fontSize: '0.9375rem', fontWeight: 600, lineHeight: 1.4 },
    body1: { fontSize: '0.9375rem', lineHeight: 1.55 },
    body2: { fontSize: '0.8125rem', lineHeight: 1.5 },
    caption: { fontSize: '0.75rem', lineHeight: 1.4 },
    button: { fontSize: '0.875rem', fontWeight: 550, textTransform: 'none', letterSpacing: 0 },
  },
  components: {
    MuiButtonBase: { defaultProps: { disableRipple: true } },
    MuiButton: {
      defaultProps: { disableElevation: true },
      styleOverrides: {
        root: { borderRadius: 8, minHeight: 40, paddingInline: 16, whiteSpace: 'nowrap' },
        outlined: ({ theme: t }) => ({ borderColor: t.vars.palette.roles.lineStrong, color: t.vars.palette.text.primary }),
        startIcon: { marginRight: 6 },
      },
    },
    MuiPaper: {
      defaultProps: { elevation: 0 },
      styleOverrides: { root: { backgroundImage: 'none' } },
    },
    MuiDialog: {
      styleOverrides: {
        paper: ({ theme: t }) => ({
          borderRadius: 12,
          border: `1px solid ${t.vars.palette.divider}`,
          boxShadow: `0 24px 64px rgb(${t.vars.palette.roles.shade} / 0.28)`,
        }),
      },
    },
    MuiBackdrop: {
      styleOverrides: {
        root: ({ theme: t }) => ({ '&:not(.MuiBackdrop-invisible)': { backgroundColor: `rgb(${t.vars.palette.roles.shade} / 0.42)` } }),
      },
    },
    MuiMenu: {
      styleOverrides: {
        paper: ({ theme: t }) => ({
          marginTop: 4,
          border: `1px solid ${t.vars.palette.divider}`,
          boxShadow: `0 8px 24px rgb(${t.vars.palette.roles.shade} / 0.16)`,
        }),
      },
    },
    MuiMenuItem: { styleOverrides: { root: { fontSize: '0.875rem', minHeight: 40 } } },
    MuiOutlinedInput: {
      styleOverrides: {
        root: ({ theme: t }) => ({
          backgroundColor: t.vars.palette.background.default,
          '& .MuiOutlinedInput-notchedOutline': { borderColor: t.vars.palette.roles.lineStrong },
        }),
      },
    },
    MuiInputLabel: { styleOverrides: { root: { fontSize: '0.9375rem' } } },
    MuiFormHelperText: { styleOverrides: { root: { marginInline: 2 } } },
    MuiTooltip: {
      defaultProps: { enterDelay: 400, enterNextDelay: 200 },
      styleOverrides: {
        tooltip: ({ theme: t }) => ({
          backgroundColor: t.vars.palette.text.primary,
          color: t.vars.palette.background.default,
          fontSize: '0.75rem',
          fontWeight: 500,
          padding: '6px 10px',
        }),
      },
    },
  },
});

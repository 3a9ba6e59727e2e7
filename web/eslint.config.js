import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const react = ['react', 'react/*', 'react-dom', 'react-dom/*', '@mui/*', '@emotion/*', 'notistack', '@tanstack/*'];

/** One direction of imports: shared → sync → features → app. Core rules, so that no plugin has to keep up with ESLint. */
function forbid(files, group, message, ignores = []) {
  return {
    files,
    ignores: ['**/*.test.{ts,tsx}', ...ignores],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] },
  };
}

/** What src/sync keeps to itself. */
const insides = ['**/sync/*', '!**/sync/react'];

const features = ['catalogue', 'changes', 'desk', 'activity', 'operations'];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'public', 'src/contract'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      globals: globals.browser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      'no-console': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['**/*.js'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
  forbid(
    ['src/sync/**'],
    [...react, '**/app/**', '**/features/**', '**/ui/**', '**/theme/**', '**/react'],
    'src/sync is the framework-free core.',
    ['src/sync/react.ts'],
  ),
  forbid(['src/sync/react.ts'], ['**/app/**', '**/features/**', '**/ui/**', '@mui/*'], 'The binding knows React and the core only.'),
  forbid(['src/ui/**', 'src/theme/**'], ['**/app/**', '**/features/**', '**/sync', '**/sync/**'], 'Shared parts know no data.'),
  ...features.map((feature) =>
    forbid(
      [`src/features/${feature}/**`],
      ['**/app/**', ...insides, ...features.filter((other) => other !== feature).map((other) => `**/${other}/**`)],
      'A feature imports sync (its index and its React binding), ui and theme; src/app puts features together.',
    ),
  ),
  forbid(['src/app/**', 'src/main.tsx'], insides, 'src/sync is used by its index and its React binding.', ['src/app/testing/**']),
);

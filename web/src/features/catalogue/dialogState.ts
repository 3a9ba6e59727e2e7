/** Which dialog of the catalogue is open; one at a time. */
export type OpenDialog =
  | { readonly kind: 'add' }
  | { readonly kind: 'book' | 'edit' | 'lend' | 'delete'; readonly id: number };

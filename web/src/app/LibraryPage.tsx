import { Catalogue } from '../features/catalogue/Catalogue';

/** Where readers are: the shelf, and nothing else. */
export function LibraryPage() {
  return <Catalogue heading="The library" level={1} quickActions={false} />;
}

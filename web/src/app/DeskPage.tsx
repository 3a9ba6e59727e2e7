import { Feed } from '../features/activity/Feed';
import { Catalogue } from '../features/catalogue/Catalogue';
import { Numbers } from '../features/desk/Numbers';
import { Online } from '../features/desk/Online';
import { PlaceLink } from './PlaceLink';
import styles from './DeskPage.module.css';

/** Where an owner works: how the library is doing, who is there, what happened, and the list at hand. */
export default function DeskPage() {
  return (
    <div className={styles.desk}>
      <div className={styles.top}>
        <h1 className={styles.heading}>The desk</h1>
        <PlaceLink to="operations">How the server does</PlaceLink>
      </div>
      <Numbers />
      <div className={styles.columns}>
        <aside className={styles.aside}>
          <Online />
          <Feed />
        </aside>
        <Catalogue heading="Books" level={2} quickActions />
      </div>
    </div>
  );
}

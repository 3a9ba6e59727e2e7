import type { Ref } from 'react';
import { Choice } from '../../ui/Choice';
import { Icon } from '../../ui/Icon';
import { IconAction } from '../../ui/IconAction';
import type { Look } from './BookList';
import { SORTS, type Counts, type Filter, type Query, type Sort } from './query';
import styles from './Toolbar.module.css';

const SORT_WORDS: Readonly<Record<Sort, string>> = {
  newest: 'Recently added',
  title: 'Title',
  author: 'Author',
  due: 'Due back first',
  favorites: 'Most favourites',
};

interface Props {
  readonly query: Query;
  readonly counts: Counts | null;
  readonly look: Look;
  /** Absent where there is only one look. */
  readonly onLook?: ((look: Look) => void) | undefined;
  readonly search: Ref<HTMLInputElement>;
  readonly bar: Ref<HTMLDivElement>;
  readonly onQuery: (query: Query) => void;
  /** From the search field down into the list. */
  readonly onLeave: () => void;
}

export function Toolbar({ query, counts, look, onLook, search, bar, onQuery, onLeave }: Props) {
  return (
    <div ref={bar} className={styles.bar} role="search">
      <div className={styles.tools}>
      <div className={styles.search}>
        <Icon name="search" size={18} />
        <input
          ref={search}
          type="search"
          aria-label="Search books"
          placeholder="Search the shelf"
          value={query.text}
          autoComplete="off"
          spellCheck={false}
          enterKeyHint="search"
          onChange={(event) => onQuery({ ...query, text: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') {
              event.preventDefault();
              onLeave();
            }
            if (event.key === 'Escape' && query.text !== '') {
              event.stopPropagation();
              onQuery({ ...query, text: '' });
            }
          }}
        />
        {query.text === '' ? (
          <kbd className={styles.key} aria-hidden="true">
            /
          </kbd>
        ) : (
          <IconAction label="Clear search" icon="close" iconSize={16} onClick={() => onQuery({ ...query, text: '' })} small />
        )}
      </div>
      <div className={styles.arrange}>
        <label className={styles.sort}>
          {/* The browser's own list: on a phone nothing is easier to hit. */}
          <select aria-label="Sort by" value={query.sort} onChange={(event) => onQuery({ ...query, sort: event.target.value as Sort })}>
            {SORTS.map((sort) => (
              <option key={sort} value={sort}>
                {SORT_WORDS[sort]}
              </option>
            ))}
          </select>
          <Icon name="sort" size={18} />
        </label>
        {onLook && (
          <Choice
            label="View"
            look="compact"
            value={look}
            onChange={onLook}
            options={[
              { value: 'covers', label: 'Covers', icon: <Icon name="covers" size={18} /> },
              { value: 'list', label: 'List', icon: <Icon name="rows" size={18} /> },
            ]}
          />
        )}
      </div>
      <div className={styles.chips}>
        <Choice<Filter>
          label="Filter"
          look="chips"
          value={query.filter}
          onChange={(filter) => onQuery({ ...query, filter })}
          options={[
            { value: 'all', label: 'All' },
            { value: 'available', label: 'Available', count: counts?.available },
            { value: 'lent', label: 'Lent', count: counts?.lent },
            { value: 'overdue', label: 'Overdue', count: counts?.overdue },
            { value: 'mine', label: 'My favourites', count: counts?.mine },
          ]}
        />
      </div>
      </div>
    </div>
  );
}

import { memo, type CSSProperties } from 'react';
import { designCover } from './design';
import { Motif } from './Motif';
import styles from './Cover.module.css';

/**
 * A cover made from the title and the author alone, so that a catalogue without pictures still
 * looks like a shelf. A picture of what is written beside it, hence hidden from screen readers.
 */
export const Cover = memo(function Cover({ title, author }: { title: string; author: string }) {
  const design = designCover(title, author);
  const style = {
    '--cloth': design.cloth.cloth,
    '--cover-ink': design.cloth.ink,
    '--second': design.cloth.second,
    '--title-size': `${design.titleSize}cqw`,
  } as CSSProperties;
  const ornate = design.layout === 'motif' || design.layout === 'window';
  return (
    <div className={styles.cover} style={style} data-layout={design.layout} aria-hidden="true">
      <div className={styles.board}>
        {ornate && <Motif design={design} className={styles.motif} />}
        <div className={styles.text}>
          <span className={styles.title}>{title}</span>
          <span className={styles.author} data-cover-author="">{author}</span>
        </div>
      </div>
    </div>
  );
});

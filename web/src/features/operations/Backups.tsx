import Button from '@mui/material/Button';
import { useState } from 'react';
import type { Backup } from '../../contract/openapi';
import { Icon } from '../../ui/Icon';
import { notify } from '../../ui/notify';
import { ago, exactly } from '../../ui/time';
import styles from './Backups.module.css';
import { bytes, dayAndTime, number } from './format';
import { Section } from './Section';
import sectionStyles from './Section.module.css';
import { reasonOf, useBackups, useMakeBackup, useVerifyBackup } from './server';
import { Table } from './Table';
import { Trouble } from './Trouble';

const REASONS: Readonly<Record<Backup['reason'], string>> = {
  manual: 'By hand',
  scheduled: 'Scheduled',
  'before-restore': 'Before a restore',
  'before-repair': 'Before a repair',
  'before-move': 'Before a move',
  '': 'Unknown',
};

/** The backups, and whether each still is what was written. */
export function Backups() {
  const { data, dataUpdatedAt, error, refetch } = useBackups();
  const make = useMakeBackup();
  const verify = useVerifyBackup();
  const [faults, setFaults] = useState<Readonly<Record<string, readonly string[]>>>({});

  const makeOne = async () => {
    try {
      const known = data?.map(({ name }) => name) ?? [];
      const made = await make.mutateAsync();
      notify(known.includes(made.name) ? 'Nothing has changed since the newest backup: it holds everything' : `A backup of ${number(made.books)} books was made`);
    } catch (cause) {
      notify(`No backup was made. ${reasonOf(cause)}`, { tone: 'trouble' });
    }
  };
  const verifyOne = async (name: string) => {
    try {
      const report = await verify.mutateAsync(name);
      setFaults((before) => ({ ...before, [name]: report.faults }));
      notify(report.ok ? 'The backup is what was written, byte by byte' : 'The backup is damaged', { tone: report.ok ? 'plain' : 'trouble' });
    } catch (cause) {
      notify(`The backup could not be verified. ${reasonOf(cause)}`, { tone: 'trouble' });
    }
  };

  const newestGood = data?.find(({ good }) => good);

  return (
    <Section
      id="backups"
      title="Backups"
      note="Each holds the whole catalogue at one moment. To go back to one, stop nothing: run shelfcast backup restore on the server."
      actions={
        <Button variant="contained" size="small" loading={make.isPending} onClick={() => void makeOne()}>
          Make a backup
        </Button>
      }
    >
      {data === undefined && error !== null && <Trouble text={reasonOf(error)} onRetry={() => void refetch()} />}
      {data?.length === 0 && <p className={sectionStyles.empty}>There is none yet. The first takes a moment and stops nobody.</p>}
      {data !== undefined && data.length > 0 && (
        <p className={styles.newest} data-state={newestGood === undefined ? 'damaged' : undefined}>
          {newestGood === undefined ? 'None of these can be relied on: make one now.' : `The newest good one was made ${ago(dataUpdatedAt - newestGood.ageSeconds * 1000, dataUpdatedAt)}.`}
        </p>
      )}
      {data !== undefined && data.length > 0 && (
        <Table
          label="Backups"
          rows={data}
          keyOf={(backup) => backup.name}
          columns={[
            { title: 'Made', cell: (backup) => <time dateTime={backup.createdAt} title={exactly(backup.createdAt)}>{dayAndTime(Date.parse(backup.createdAt))}</time> },
            { title: 'Why', cell: (backup) => REASONS[backup.reason] },
            { title: 'Books', cell: (backup) => number(backup.books), numeric: true },
            { title: 'Size', cell: (backup) => bytes(backup.bytes), numeric: true },
            { title: 'State', cell: (backup) => <State backup={backup} faults={faults[backup.name] ?? []} /> },
            {
              title: 'Actions', untitled: true, numeric: true,
              cell: (backup) => (
                <Button size="small" color="inherit" loading={verify.isPending && verify.variables === backup.name} onClick={() => void verifyOne(backup.name)}>
                  Verify<span className="unseen"> the backup of {dayAndTime(Date.parse(backup.createdAt))}</span>
                </Button>
              ),
            },
          ]}
        />
      )}
    </Section>
  );
}

function State({ backup, faults }: { backup: Backup; faults: readonly string[] }) {
  const { verified, fault } = backup;
  const damaged = fault !== '' || verified?.ok === false;
  const state = damaged ? 'damaged' : verified === null ? 'unverified' : 'verified';
  return (
    <span className={styles.state} data-state={state}>
      {state !== 'unverified' && <Icon name={damaged ? 'overdue' : 'check'} size={15} />}
      <span>
        {state === 'verified' && verified !== null && `Verified ${dayAndTime(Date.parse(verified.at))}`}
        {state === 'unverified' && 'Not verified yet'}
        {damaged && 'Damaged'}
        {(fault !== '' || faults.length > 0) && <span className={styles.faults}>{[...(fault === '' ? [] : [fault]), ...faults.slice(0, 5)].join('; ')}</span>}
      </span>
    </span>
  );
}

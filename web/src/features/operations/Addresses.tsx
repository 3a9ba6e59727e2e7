import Button from '@mui/material/Button';
import { useState } from 'react';
import type { Block } from '../../contract/openapi';
import { notify } from '../../ui/notify';
import { asOf } from '../../ui/time';
import styles from './Addresses.module.css';
import { Confirm } from './Confirm';
import { bytesPerSecond, dayAndTime, number, perSecond } from './format';
import { Section } from './Section';
import sectionStyles from './Section.module.css';
import { reasonOf, useBlock, useBlocks, useConnections, useUnblock } from './server';
import { Table } from './Table';
import { Trouble } from './Trouble';

const LASTING = [
  { value: '10m', label: 'for 10 minutes' },
  { value: '1h', label: 'for an hour' },
  { value: '24h', label: 'for a day' },
  { value: '168h', label: 'for a week' },
  { value: '', label: 'until lifted' },
] as const;

/** A few lead; the rest of a quiet day is of no interest. */
const SHOWN = 10;

/** Where connections come from, the most first, so that a flood is seen at once and ended with one press. */
export function Addresses() {
  const { data, error, refetch } = useConnections();
  const blocks = useBlocks();
  const block = useBlock();
  const unblock = useUnblock();
  const [address, setAddress] = useState('');
  const [lasting, setLasting] = useState<string>('1h');
  const [blocking, setBlocking] = useState<{ address: string; connections: number } | null>(null);

  const lift = async ({ address: lifted }: Pick<Block, 'address'>) => {
    try {
      await unblock.mutateAsync(lifted);
      notify(`${lifted} may connect again`);
    } catch (cause) {
      notify(`${lifted} is still blocked. ${reasonOf(cause)}`, { tone: 'trouble' });
    }
  };
  const ask = () => {
    const named = address.trim();
    if (named === '') return;
    setBlocking({ address: named, connections: data?.addresses.find((one) => one.address === named)?.connections ?? 0 });
  };

  return (
    <Section id="addresses" title="Addresses" note="Where connections come from, the most first. A flood shows here; blocking its address ends it at once.">
      {data === undefined && error !== null && <Trouble text={reasonOf(error)} onRetry={() => void refetch()} />}
      {data?.addresses.length === 0 && <p className={sectionStyles.empty}>Nobody is connected.</p>}
      {data !== undefined && data.addresses.length > 0 && (
        <Table
          label="Addresses"
          rows={data.addresses.slice(0, SHOWN)}
          keyOf={(one) => one.address}
          columns={[
            { title: 'Address', cell: (one) => one.address },
            { title: 'Open', cell: (one) => number(one.connections), numeric: true },
            { title: 'Attempts', cell: (one) => perSecond(one.perSecond), numeric: true },
            { title: 'Traffic', cell: (one) => bytesPerSecond(one.bytesPerSecond), numeric: true },
            {
              title: 'Actions', untitled: true, numeric: true,
              cell: (one) =>
                one.blocked ? (
                  <span className={styles.blocked}>Blocked</span>
                ) : (
                  <Button size="small" color="inherit" onClick={() => setBlocking(one)}>
                    Block<span className="unseen"> {one.address}</span>
                  </Button>
                ),
            },
          ]}
        />
      )}

      <h3 className={styles.heading}>Blocked</h3>
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <input className={styles.field} aria-label="Address or network to block" placeholder="192.0.2.7 or 192.0.2.0/24" value={address} onChange={(event) => setAddress(event.target.value)} />
        <select className={styles.field} aria-label="How long" value={lasting} onChange={(event) => setLasting(event.target.value)}>
          {LASTING.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
        <Button type="submit" variant="outlined" color="inherit" disabled={address.trim() === ''}>
          Block
        </Button>
      </form>
      {blocks.data === undefined && blocks.error !== null && <Trouble text={reasonOf(blocks.error)} onRetry={() => void blocks.refetch()} />}
      {blocks.data?.length === 0 && <p className={sectionStyles.empty}>No address is kept out.</p>}
      {blocks.data !== undefined && blocks.data.length > 0 && (
        <Table
          label="Blocked addresses"
          rows={blocks.data}
          keyOf={(one) => one.address}
          columns={[
            { title: 'Address', cell: (one) => one.address },
            { title: 'Until', cell: (one) => (one.until === null ? 'It is lifted' : <time dateTime={one.until}>{dayAndTime(Date.parse(one.until))}</time>) },
            { title: 'By', cell: (one) => <span title={asOf(Date.parse(one.createdAt), blocks.dataUpdatedAt)}>{one.by}</span> },
            { title: 'Turned away', cell: (one) => number(one.refused), numeric: true },
            {
              title: 'Actions', untitled: true, numeric: true,
              cell: (one) => (
                <Button size="small" color="inherit" loading={unblock.isPending && unblock.variables === one.address} onClick={() => void lift(one)}>
                  Unblock<span className="unseen"> {one.address}</span>
                </Button>
              ),
            },
          ]}
        />
      )}
      {blocking !== null && (
        <Confirm
          title={`Block ${blocking.address}?`}
          act="Block"
          keep="Let it in"
          onClose={() => setBlocking(null)}
          run={async () => {
            const made = await block.mutateAsync({ address: blocking.address, lasting });
            setAddress('');
            notify(`${made.address} is kept out${made.until === null ? '' : ` until ${dayAndTime(Date.parse(made.until))}`}`);
          }}
        >
          {blocking.connections > 0 && `Its ${blocking.connections === 1 ? 'connection is' : `${number(blocking.connections)} connections are`} closed now. `}
          Nothing from there is let in {LASTING.find(({ value }) => value === lasting)?.label}; everybody behind that address is meant.
        </Confirm>
      )}
    </Section>
  );
}

import Button from '@mui/material/Button';
import { useState } from 'react';
import type { Connection } from '../../contract/openapi';
import { useLibrary } from '../../sync/react';
import { notify } from '../../ui/notify';
import { ago, exactly } from '../../ui/time';
import { Confirm } from './Confirm';
import styles from './Connections.module.css';
import { bytes, duration, number } from './format';
import { Section } from './Section';
import sectionStyles from './Section.module.css';
import { CONNECTIONS_LISTED, reasonOf, useConnections, useDisconnect } from './server';
import { Table } from './Table';
import { Trouble } from './Trouble';

/** Enough to see who lags; the rest on demand. */
const FIRST = 12;

/** Who is connected, how, and how far behind; whoever should not be can be sent away. */
export function Connections() {
  const { data, error, dataUpdatedAt, refetch } = useConnections();
  const { identity } = useLibrary();
  const disconnect = useDisconnect();
  const [wanted, setWanted] = useState('');
  const [ending, setEnding] = useState<Connection | null>(null);
  const [whole, setWhole] = useState(false);
  const look = wanted.trim().toLowerCase();
  const shown = data?.connections.filter(({ userId, address }) => userId.toLowerCase().includes(look) || address.includes(look)) ?? [];
  const silent = data?.nodes.filter(({ answered }) => !answered).map(({ name }) => name) ?? [];
  const who = (connection: Connection) => connection.userId || 'somebody without a name';

  return (
    <Section
      id="connections"
      title="Connections"
      note={
        data === undefined ? undefined : (
          <>
            <span data-connections-total="">{number(data.total)}</span> open: {number(data.byTransport.websocket)} by WebSocket, {number(data.byTransport.polling)} by polling.
            {data.nodes.length > 0 && ` On ${number(data.nodes.length - silent.length)} of ${number(data.nodes.length)} nodes.`}
            {data.total > CONNECTIONS_LISTED && ` The ${CONNECTIONS_LISTED} furthest behind and busiest are listed.`}
          </>
        )
      }
      actions={
        <input type="search" className={styles.find} aria-label="Find a user or an address" placeholder="User or address" value={wanted} onChange={(event) => setWanted(event.target.value)} />
      }
    >
      {data === undefined && error !== null && <Trouble text={reasonOf(error)} onRetry={() => void refetch()} />}
      {silent.length > 0 && <p className={sectionStyles.empty}>Missing is whoever is connected to {silent.join(', ')}, which did not answer.</p>}
      {data !== undefined && shown.length === 0 && (
        <p className={sectionStyles.empty}>{look === '' ? 'Nobody is connected.' : `None of those listed is of “${wanted.trim()}”.`}</p>
      )}
      {shown.length > 0 && (
        <Table
          label="Connections"
          rows={whole ? shown : shown.slice(0, FIRST)}
          keyOf={(connection) => connection.id}
          columns={[
            {
              title: 'User',
              cell: (connection) => (
                <span className={styles.who} data-user={connection.userId}>
                  {who(connection)}
                  <small>
                    {connection.role}
                    {connection.userId === identity.userId && ' · you'}
                  </small>
                </span>
              ),
            },
            { title: 'Address', cell: (connection) => connection.address },
            ...(data === undefined || data.nodes.length === 0 ? [] : [{ title: 'Node', cell: (connection: Connection) => connection.node }]),
            { title: 'Carried by', cell: (connection) => (connection.transport === 'websocket' ? 'WebSocket' : 'Polling') },
            {
              title: 'Since',
              cell: (connection) => (
                <time dateTime={connection.connectedAt} title={exactly(connection.connectedAt)}>
                  {ago(Date.parse(connection.connectedAt), dataUpdatedAt)}
                  {connection.recovered && <small className={styles.back}>recovered</small>}
                </time>
              ),
            },
            {
              title: 'Behind', numeric: true,
              cell: ({ lagMilliseconds, pendingBytes }) => (pendingBytes === 0 ? 'no' : <span title={`${bytes(pendingBytes)} wait`}>{duration(lagMilliseconds)}</span>),
            },
            { title: 'Sent', cell: (connection) => bytes(connection.bytesSent), numeric: true },
            { title: 'Received', cell: (connection) => bytes(connection.bytesReceived), numeric: true },
            {
              title: 'Actions', untitled: true, numeric: true,
              cell: (connection) => (
                <Button size="small" color="inherit" onClick={() => setEnding(connection)}>
                  Disconnect<span className="unseen"> {who(connection)}</span>
                </Button>
              ),
            },
          ]}
        />
      )}
      {shown.length > FIRST && (
        <Button size="small" color="inherit" aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? 'Show fewer' : `Show all ${shown.length}`}
        </Button>
      )}
      {ending !== null && (
        <Confirm
          title={`Disconnect ${who(ending)}?`}
          act="Disconnect"
          keep="Leave it"
          onClose={() => setEnding(null)}
          run={async () => {
            await disconnect.mutateAsync(ending.id);
            notify(`${who(ending)} was disconnected`);
          }}
        >
          The connection from {ending.address} ends now. Nothing is lost: a client that still wants to be here connects again, and catches up. To keep an address out, block it.
        </Confirm>
      )}
    </Section>
  );
}

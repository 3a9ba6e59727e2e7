import { QueryClientProvider } from '@tanstack/react-query';
import { useState } from 'react';
import type { Rest } from '../../sync';
import { Addresses } from './Addresses';
import { Backups } from './Backups';
import { Charts } from './Charts';
import { Connections } from './Connections';
import { LogLevel } from './LogLevel';
import styles from './Operations.module.css';
import { Passing } from './Passing';
import { Refusals } from './Refusals';
import { createQueryClient, RestProvider, type HistoryWindow } from './server';

/** How the server does, who is on it, and what one can do about it. Everything here is the owner's to see. */
export function Operations({ rest }: { rest: Rest }) {
  const [client] = useState(createQueryClient);
  const [window, setWindow] = useState<HistoryWindow>('10m');
  return (
    <QueryClientProvider client={client}>
      <RestProvider value={rest}>
        <div className={styles.operations}>
          <Charts window={window} onWindow={setWindow} />
          <Connections />
          <Addresses />
          <div className={styles.pair}>
            <Refusals />
            <Passing />
          </div>
          <Backups />
          <LogLevel />
        </div>
      </RestProvider>
    </QueryClientProvider>
  );
}

import { keepPreviousData, QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import type { Calls } from '../../contract/openapi';
import { ApiError, type Rest } from '../../sync';

/** The one place that knows which calls the page makes, how often, and what makes them stale. */

const RestContext = createContext<Rest | null>(null);
export const RestProvider = RestContext.Provider;

function useRest(): Rest {
  const rest = useContext(RestContext);
  if (rest === null) throw new Error('useRest outside of RestProvider');
  return rest;
}

/**
 * Polls pause while the page is hidden, which is the library's own rule, and go on whatever the
 * browser says of the network. A failed poll is not tried again: the next one comes soon enough.
 */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: false, networkMode: 'always', staleTime: 1_000 },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}

export type HistoryWindow = NonNullable<NonNullable<Calls['GET /history']['query']>['window']>;

/** Milliseconds from one look to the next. */
const EVERY = { live: 2_000, day: 30_000, month: 300_000, people: 3_000, rare: 15_000 } as const;

/** What a page can show; the totals are of all. */
export const CONNECTIONS_LISTED = 100;
const REFUSALS_LISTED = 50;

const WINDOW_EVERY: Readonly<Record<HistoryWindow, number>> = { '10m': EVERY.live, '24h': EVERY.day, '30d': EVERY.month };

export function useHistory(window: HistoryWindow) {
  const rest = useRest();
  return useQuery({
    queryKey: ['history', window],
    queryFn: async ({ signal }) => (await rest('GET /history', { query: { window }, signal })).body,
    refetchInterval: WINDOW_EVERY[window],
    placeholderData: keepPreviousData,
  });
}

export function useConnections() {
  const rest = useRest();
  return useQuery({
    queryKey: ['connections'],
    queryFn: async ({ signal }) => (await rest('GET /connections', { query: { limit: CONNECTIONS_LISTED }, signal })).body,
    refetchInterval: EVERY.people,
  });
}

export function useDisconnect() {
  const rest = useRest();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => rest('DELETE /connections/{id}', { path: { id } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['connections'] }),
  });
}

export function useBlocks() {
  const rest = useRest();
  return useQuery({ queryKey: ['blocks'], queryFn: async ({ signal }) => (await rest('GET /blocks', { signal })).body, refetchInterval: EVERY.people });
}

/** `lasting`: as the contract writes a time ("1h"); '' until it is lifted. */
export function useBlock() {
  const rest = useRest();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ address, lasting }: { address: string; lasting: string }) => (await rest('POST /blocks', { body: { address, for: lasting } })).body,
    onSettled: () => refreshPeople(client),
  });
}

export function useUnblock() {
  const rest = useRest();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (address: string) => rest('DELETE /blocks', { query: { address } }),
    onSettled: () => refreshPeople(client),
  });
}

function refreshPeople(client: QueryClient): Promise<unknown> {
  return Promise.all(['blocks', 'connections', 'refusals'].map((name) => client.invalidateQueries({ queryKey: [name] })));
}

export function useRefusals() {
  const rest = useRest();
  return useQuery({
    queryKey: ['refusals'],
    queryFn: async ({ signal }) => (await rest('GET /refusals', { query: { limit: REFUSALS_LISTED }, signal })).body,
    refetchInterval: EVERY.people,
  });
}

export function useBackups() {
  const rest = useRest();
  return useQuery({ queryKey: ['backups'], queryFn: async ({ signal }) => (await rest('GET /backups', { signal })).body, refetchInterval: EVERY.rare });
}

export function useMakeBackup() {
  const rest = useRest();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async () => (await rest('POST /backups')).body,
    onSettled: () => client.invalidateQueries({ queryKey: ['backups'] }),
  });
}

export function useVerifyBackup() {
  const rest = useRest();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (name: string) => (await rest('POST /backups/{name}/verify', { path: { name } })).body,
    onSettled: () => client.invalidateQueries({ queryKey: ['backups'] }),
  });
}

export type LogLevel = Calls['GET /log-level']['answer']['level'];

export function useLogLevel() {
  const rest = useRest();
  return useQuery({ queryKey: ['log-level'], queryFn: async ({ signal }) => (await rest('GET /log-level', { signal })).body.level, refetchInterval: EVERY.rare });
}

export function useSetLogLevel() {
  const rest = useRest();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (level: LogLevel) => (await rest('PUT /log-level', { body: { level } })).body.level,
    onSuccess: (level) => client.setQueryData(['log-level'], level),
  });
}

/** What went wrong, in a sentence. */
export function reasonOf(error: unknown): string {
  return error instanceof ApiError ? error.message : 'Something went wrong.';
}

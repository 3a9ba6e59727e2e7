import { bytes, bytesPerSecond, duration, number, perSecond } from './format';

/** A line of a chart: a series of GET /history, and what people call it. */
export interface Line {
  readonly series: string;
  readonly label: string;
}

/** One chart. */
export interface Panel {
  readonly id: string;
  readonly title: string;
  /** What is counted, in a sentence. */
  readonly help: string;
  /** The first is drawn solid, the second dashed, the third dotted. */
  readonly lines: readonly [Line, ...Line[]];
  readonly format: (value: number) => string;
  /** The scale reaches at least to here, so that noise stays small. */
  readonly least: number;
  readonly base?: 1024;
  /** What is not zero here wants a look. */
  readonly alarming?: boolean;
}

export interface PanelGroup {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** The handbook's indicators, in the order in which one asks for them: who is there, is it quick, does it hold, what went wrong. */
export const GROUPS: readonly PanelGroup[] = [
  {
    title: 'Who is here',
    panels: [
      {
        id: 'connections', title: 'Connections', help: 'Open now, by how they are carried.', format: number, least: 4,
        lines: [{ series: 'connections', label: 'All' }, { series: 'websocket', label: 'WebSocket' }, { series: 'polling', label: 'Polling' }],
      },
      {
        id: 'events', title: 'Events', help: 'Sent to clients, and sent by them.', format: perSecond, least: 2,
        lines: [{ series: 'eventsPerSecond', label: 'Sent' }, { series: 'clientEventsPerSecond', label: 'From clients' }],
      },
      {
        id: 'reconnections', title: 'Reconnections', help: 'Clients that came back, and those of them that got exactly what they had missed.', format: perSecond, least: 1,
        lines: [{ series: 'reconnectionsPerSecond', label: 'Came back' }, { series: 'recoveredPerSecond', label: 'Recovered' }],
      },
    ],
  },
  {
    title: 'How quick it is',
    panels: [
      {
        id: 'action-to-screen', title: 'Action to screen', help: 'As readers’ browsers measure it; 95 of 100 are faster than the first line.', format: duration, least: 50,
        lines: [{ series: 'actionToScreenMilliseconds', label: '95 %' }, { series: 'actionToScreenMedianMilliseconds', label: 'Half' }],
      },
      {
        id: 'fan-out', title: 'Fan-out lag', help: 'From an event being queued until every recipient had it; 95 of 100 are faster.', format: duration, least: 10,
        lines: [{ series: 'fanOutLagMilliseconds', label: 'Fan-out' }, { series: 'projectionLagMilliseconds', label: 'After storing' }],
      },
      {
        id: 'requests', title: 'Answer time', help: 'How long REST calls take; 95 of 100 are faster.', format: duration, least: 10,
        lines: [{ series: 'requestMilliseconds', label: 'Requests' }],
      },
    ],
  },
  {
    title: 'What it carries',
    panels: [
      {
        id: 'memory', title: 'Memory', help: 'What the process has from the system, and what is in use on the heap.', format: bytes, least: 16 * 1024 * 1024, base: 1024,
        lines: [{ series: 'memoryBytes', label: 'Process' }, { series: 'heapBytes', label: 'Heap' }],
      },
      {
        id: 'storing', title: 'Storing', help: 'Until a change is durable, and the disk’s part of it; 95 of 100 are faster.', format: duration, least: 5,
        lines: [{ series: 'logAppendMilliseconds', label: 'Append' }, { series: 'logSyncMilliseconds', label: 'Sync' }],
      },
      {
        id: 'traffic', title: 'Traffic', help: 'Bytes to clients, and from them.', format: bytesPerSecond, least: 1024, base: 1024,
        lines: [{ series: 'sentBytesPerSecond', label: 'Sent' }, { series: 'receivedBytesPerSecond', label: 'Received' }],
      },
    ],
  },
  {
    title: 'What goes wrong',
    panels: [
      {
        id: 'errors', title: 'Errors', help: 'Requests answered with 500 or more.', format: perSecond, least: 1, alarming: true,
        lines: [{ series: 'errorsPerSecond', label: 'Errors' }],
      },
      {
        id: 'refusals', title: 'Refused', help: 'Connections refused, and what limits held back.', format: perSecond, least: 1, alarming: true,
        lines: [{ series: 'refusedPerSecond', label: 'Connections' }, { series: 'limitHitsPerSecond', label: 'By limits' }],
      },
      {
        id: 'disconnections', title: 'Disconnections', help: 'Connections that ended, and those closed because the client read too slowly.', format: perSecond, least: 1,
        lines: [{ series: 'disconnectionsPerSecond', label: 'Ended' }, { series: 'slowClientsPerSecond', label: 'Too slow' }],
      },
    ],
  },
];

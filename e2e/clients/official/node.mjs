// Plays the scenarios in Node: node node.mjs '{"url", "stage"}'
import { io as io40 } from 'socket.io-client-4.0';
import { io as io48 } from 'socket.io-client-4.8';
import { play } from './play.mjs';

const { url, stage } = JSON.parse(process.argv[2]);
await play({ clients: { '4.0': io40, 4.8: io48 }, url, stage, inBrowser: false });
process.exit(0);

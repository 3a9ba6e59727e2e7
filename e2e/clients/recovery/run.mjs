// Runs many official clients that keep their state with nothing but the handbook's listeners, and
// never fetch anything.
//
//   node run.mjs '{"client": PACKAGE, "url": URL, "clients": [{"name", "role", "transports"}]}'
//
// A line "report" on standard input prints what each has become; the end of it ends the program.
import { createInterface } from 'node:readline';

const config = JSON.parse(process.argv[2]);
const { io } = await import(config.client);
const tell = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

function start({ name, role, transports }) {
  const client = { name, books: new Map(), last: 0, epoch: '', problems: [], recovered: [], missed: 0, stats: 0, reconnects: 0 };
  const socket = io(config.url, {
    query: { userId: name, role },
    reconnectionDelay: 20,
    reconnectionDelayMax: 200,
    timeout: 2000,
    ...(transports ? { transports } : {}),
  });

  // Every event comes once, and positions rise.
  const note = (position, mayRepeat) => {
    const [epoch, digits] = position.split('-');
    const sequence = Number(digits);
    if (client.epoch !== '' && client.epoch !== epoch) {
      client.problems.push(`epoch ${epoch} after ${client.epoch}`);
    }
    if (mayRepeat ? sequence < client.last : sequence <= client.last) {
      client.problems.push(`${sequence} after ${client.last}`);
    }
    client.epoch = epoch;
    client.last = sequence;
  };
  const put = (book) => client.books.set(book.id, { ...book, favorites: book.favorites.length });

  socket.on('connect', () => {
    client.recovered.push(socket.recovered);
    if (role === 'owner' && client.recovered.length === 1) {
      socket.emit('ownerJoinDashboard');
    }
  });
  socket.on('bookAdded', (book, position) => {
    note(position);
    if (client.books.has(book.id)) {
      client.problems.push(`book ${book.id} was added twice`);
    }
    put(book);
  });
  socket.on('bookUpdated', (book, position) => {
    note(position);
    put(book);
  });
  socket.on('bookDeleted', (book, position) => {
    note(position);
    client.books.delete(book.id);
  });
  socket.on('favoriteUpdated', ({ bookId, favoritesCount }, position) => {
    note(position);
    client.books.get(bookId).favorites = favoritesCount;
  });
  socket.on('synced', (state, position) => {
    note(position, true);
    client.missed += state.missed;
  });
  socket.on('reconnect', () => (client.reconnects += 1));
  socket.on('dashboardStats', () => (client.stats += 1));
  return client;
}

const clients = config.clients.map(start);
tell({ kind: 'running' });
let reports = 0;
const commands = createInterface({ input: process.stdin });
commands.on('line', () => {
  const number = (reports += 1);
  tell({
    kind: 'report',
    number,
    clients: clients.map((client) => ({
      ...client,
      books: [...client.books.values()]
        .sort((a, b) => a.id - b.id)
        .map((b) => [b.id, b.title, b.author, b.returnDateTime, b.readerName, b.favorites]),
    })),
  });
});
commands.on('close', () => process.exit(0));

// The handbook's own server (docs/handbook-source.md), put together from its snippets: Express,
// Socket.IO, one books.json that is written whole at each change. Where the handbook leaves
// something open, this takes what costs least, so that nothing here makes Node look slow:
//
//   - books.json is written without indentation;
//   - nothing is logged per connection;
//   - ids go on from Date.now() when two books arrive in one millisecond, so that the load
//     generator can tell them apart.
//
//   node server.js --port 5150 --data DIR
'use strict';

const { existsSync, readFileSync } = require('node:fs');
const { writeFile } = require('node:fs/promises');
const http = require('node:http');
const { join } = require('node:path');
const { parseArgs } = require('node:util');
const cors = require('cors');
const express = require('express');
const { Server } = require('socket.io');

const { values: settings } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    data: { type: 'string', default: '.' },
  },
});
const file = join(settings.data, 'books.json');

const app = express();
const server = http.createServer(app);
const io = new Server(server, {
  cors: { origin: 'http://localhost:3000', methods: ['GET', 'POST'], credentials: true },
});
app.use(cors());
app.use(express.json());

const books = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
const saveBooks = (list) => writeFile(file, JSON.stringify(list));

let lastId = 0;
function nextId() {
  lastId = Math.max(Date.now(), lastId + 1);
  return lastId;
}

// Track connected users
let onlineUsers = [];
let connectedOwners = 0;

function emitDashboardStats() {
  if (!io.sockets.adapter.rooms.has('owners')) {
    return; // counting favorites for nobody would cost every write a walk over all books
  }
  io.to('owners').emit('dashboardStats', {
    totalBooks: books.length,
    totalFavorites: books.reduce((sum, book) => sum + book.favorites.length, 0),
    connectedOwners,
  });
}

io.on('connection', (socket) => {
  const { userId, role } = socket.handshake.query;
  let watches = false;
  const leave = () => {
    if (watches) {
      watches = false;
      connectedOwners--;
      emitDashboardStats();
    }
  };

  onlineUsers.push({ userId, role, socketId: socket.id });

  socket.on('ownerJoinDashboard', () => {
    if (role !== 'owner') {
      socket.emit('error', 'Unauthorized access');
      return;
    }
    if (!watches) {
      watches = true;
      connectedOwners++;
      socket.join('owners');
    }
    emitDashboardStats();
  });
  socket.on('ownerLeaveDashboard', () => {
    socket.leave('owners');
    leave();
  });
  socket.on('disconnect', () => {
    onlineUsers = onlineUsers.filter((user) => user.socketId !== socket.id);
    leave();
  });
});

// byId answers 404 itself when there is no such book.
function byId(req, res) {
  const index = books.findIndex((book) => book.id === Number(req.params.id));
  if (index < 0) {
    res.status(404).json({ error: 'Book not found' });
  }
  return index;
}

// text takes what the handbook's section on validation takes.
const text = (value) => value.trim().substring(0, 255);

app.get('/books', (req, res) => {
  res.json(books);
});

app.post('/books', async (req, res) => {
  const { title, author, returnDateTime } = req.body;
  if (!title || !author) {
    return res.status(400).json({ error: 'Title and author are required' });
  }
  if (typeof title !== 'string' || typeof author !== 'string') {
    return res.status(400).json({ error: 'Invalid input' });
  }
  const newBook = {
    id: nextId(),
    title: text(title),
    author: text(author),
    returnDateTime: returnDateTime || null,
    favorites: [],
  };
  books.push(newBook);
  await saveBooks(books);
  io.emit('bookAdded', newBook);
  emitDashboardStats();
  res.status(201).json(newBook);
});

app.put('/books/:id', async (req, res) => {
  const index = byId(req, res);
  if (index < 0) {
    return;
  }
  const { title, author, returnDateTime } = req.body;
  const book = books[index];
  book.title = title ? text(String(title)) : book.title;
  book.author = author ? text(String(author)) : book.author;
  book.returnDateTime = returnDateTime || null;
  await saveBooks(books);
  io.emit('bookUpdated', book);
  emitDashboardStats();
  res.json(book);
});

app.delete('/books/:id', async (req, res) => {
  const index = byId(req, res);
  if (index < 0) {
    return;
  }
  const [book] = books.splice(index, 1);
  await saveBooks(books);
  io.emit('bookDeleted', book);
  emitDashboardStats();
  res.json({ message: 'Book deleted successfully' });
});

app.post('/books/:id/favorite', async (req, res) => {
  const index = byId(req, res);
  if (index < 0) {
    return;
  }
  const { userId } = req.body;
  const book = books[index];
  book.favorites = book.favorites.includes(userId)
    ? book.favorites.filter((user) => user !== userId)
    : [...book.favorites, userId];
  await saveBooks(books);
  const favoritesCount = book.favorites.length;
  io.emit('favoriteUpdated', { bookId: book.id, favoritesCount });
  emitDashboardStats();
  res.json({ favoritesCount });
});

server.listen({ port: Number(settings.port), host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

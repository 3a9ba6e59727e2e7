// One official client and the state that it keeps. Two kinds: a "position" client looks up books by
// id and checks every position that comes; a "handbook" client runs the handbook's own listeners,
// knows nothing of positions, and fetches when it hears `reconnect`.
export class Client {
  recovered = []; // what socket.recovered said at each connection
  problems = [];
  events = {}; // how often each event came
  fetches = 0;
  missed = 0;
  synced = false; // since the last connection
  stats = null; // the last dashboardStats
  service = null; // the last serviceStatus of this connection
  #byID = new Map();
  #list = [];
  #favorites = {};
  #epoch = '';
  #last = 0;

  constructor(io, url, { name, role, transports, kind }) {
    this.name = name;
    this.kind = kind;
    this.url = url;
    this.socket = io(url, {
      query: { userId: name, role },
      forceNew: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 400,
      timeout: 10_000,
      ...(transports ? { transports } : {}),
    });
    this.socket.on('connect', () => {
      this.synced = false;
      this.service = null;
      this.recovered.push(this.socket.recovered === true);
      if (role === 'owner' && this.recovered.length === 1) {
        this.socket.emit('ownerJoinDashboard');
      }
    });
    for (const event of ['bookAdded', 'bookUpdated', 'bookDeleted', 'favoriteUpdated', 'synced', 'reconnect', 'serviceStatus']) {
      this.socket.on(event, () => (this.events[event] = (this.events[event] ?? 0) + 1));
    }
    this.socket.on('synced', ({ missed }) => {
      this.missed += missed;
      this.synced = true;
    });
    this.socket.on('serviceStatus', (status) => (this.service = status));
    this.socket.on('dashboardStats', (stats) => {
      this.events.dashboardStats = (this.events.dashboardStats ?? 0) + 1;
      this.stats = stats;
    });
    if (kind === 'handbook') {
      this.#listenLikeTheHandbook();
    } else {
      this.#listenAndCheck();
    }
  }

  #listenAndCheck() {
    const { socket } = this;
    const put = (book) => this.#byID.set(book.id, { ...book, favorites: book.favorites.length });
    socket.on('bookAdded', (book, position) => {
      this.#note(position);
      if (this.#byID.has(book.id)) {
        this.#complain(`book ${book.id} was added twice`);
      }
      put(book);
    });
    socket.on('bookUpdated', (book, position) => {
      this.#note(position);
      if (!this.#byID.has(book.id)) {
        this.#complain(`book ${book.id} was updated and never added`);
      }
      put(book);
    });
    socket.on('bookDeleted', (book, position) => {
      this.#note(position);
      // It may never have been here: a replay leaves out what was created and deleted since, and when
      // it is cut between the two positions, the next one starts from a time at which the book was.
      this.#byID.delete(book.id);
    });
    socket.on('favoriteUpdated', ({ bookId, favoritesCount }, position) => {
      this.#note(position);
      const book = this.#byID.get(bookId);
      if (book) {
        book.favorites = favoritesCount;
      } else {
        this.#complain(`favourites of book ${bookId}, which is not there`);
      }
    });
    socket.on('synced', (state, position) => this.#note(position, true));
    socket.on('error', (text, position) => this.#note(position, true));
  }

  // The sequence of the last event, for a "position" client.
  get reached() {
    return this.#last;
  }

  // Positions rise strictly; what changes nothing may repeat the last one.
  #note(position, mayRepeat = false) {
    const [epoch, digits] = String(position).split('-');
    const sequence = Number(digits);
    if (this.#epoch !== '' && this.#epoch !== epoch) {
      this.#complain(`epoch ${epoch} after ${this.#epoch}`);
    }
    if (!(mayRepeat ? sequence >= this.#last : sequence > this.#last)) {
      this.#complain(`position ${position} after ${this.#last}`);
    }
    this.#epoch = epoch;
    this.#last = sequence;
  }

  #complain(problem) {
    if (this.problems.length < 5) {
      this.problems.push(problem);
    }
  }

  // The bodies are those of the handbook's React dashboard: an event that comes twice shows, as the
  // book then stands in the list twice.
  #listenLikeTheHandbook() {
    const { socket } = this;
    socket.on('bookAdded', (book) => (this.#list = [...this.#list, book]));
    socket.on('bookUpdated', (updated) => (this.#list = this.#list.map((book) => (book.id === updated.id ? updated : book))));
    socket.on('bookDeleted', (deleted) => (this.#list = this.#list.filter((book) => book.id !== deleted.id)));
    socket.on('favoriteUpdated', ({ bookId, favoritesCount }) => {
      this.#favorites = { ...this.#favorites, [bookId]: favoritesCount };
    });
    socket.on('reconnect', async () => {
      this.fetches += 1;
      try {
        this.#list = await (await fetch(`${this.url}/books`)).json();
        this.#favorites = {};
      } catch {
        // Cut off again: `reconnect` will come once more.
      }
    });
  }

  // Rows of everything that GET /books says of a book, by id.
  rows() {
    const books =
      this.kind === 'handbook'
        ? this.#list.map((book) => ({ ...book, favorites: this.#favorites[book.id] ?? book.favorites.length }))
        : [...this.#byID.values()];
    return books
      .sort((a, b) => a.id - b.id)
      .map((b) => JSON.stringify([b.id, b.title, b.author, b.returnDateTime, b.readerName, b.favorites]));
  }
}

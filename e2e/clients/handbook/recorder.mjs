// What the handbook's snippets find around them in a React application, reduced to recording: each
// call is told to the test as one JSON object. Works under Node and in a browser page;
// globalThis.shelfcast = { config, tell } has to stand before this module is loaded.
export const { config, tell } = globalThis.shelfcast;
export const sockets = [];

export function record(kind, fields) {
  tell({ kind, ...fields });
}

// A state as useState gives it: the setter takes a value or a function of the previous one.
function recordedState(name, initial) {
  let value = initial;
  return (next) => {
    value = typeof next === 'function' ? next(value) : next;
    record('state', { name, value });
  };
}

const cleanups = [];
const events = ['bookAdded', 'bookUpdated', 'bookDeleted', 'favoriteUpdated'];
const { fetch } = globalThis;

export const surroundings = {
  userId: 'uniqueUserId',
  role: 'reader',
  setBooks: recordedState('books', []),
  setFavorites: recordedState('favorites', {}),
  enqueueSnackbar: (message, options) => record('snackbar', { message, ...options }),
  useEffect: (effect) => cleanups.push(effect()),
  // A page's relative address; the page of the handbook is served by the server itself.
  fetch: (address, options) => {
    record('fetch', { address });
    return fetch(new URL(address, config.url), options);
  },
};

const { log } = console;
console.log = (...args) => (typeof args[0] === 'string' ? record('log', { args }) : log(...args));

// Runs the effects' cleanup, as React does when the component leaves, and says how many listeners
// of the handbook's events stayed behind.
export function unmount() {
  for (const cleanup of cleanups.splice(0)) {
    cleanup();
  }
  const left = sockets.flatMap((socket) => events.flatMap((event) => socket.listeners(event))).length;
  record('unmounted', { left });
}

export function disconnect() {
  for (const socket of sockets) {
    socket.disconnect();
  }
}

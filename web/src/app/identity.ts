import type { Identity } from '../sync';

const USER_KEY = 'shelfcast.demoUser';
const ROLE_KEY = 'shelfcast.role';

/**
 * Who somebody is in the demo: a made-up id that stays on this device, as the handbook has it, and
 * a role per tab. Opening the desk makes the tab an owner's; nothing in the demo forbids it.
 */
export function demoIdentity(path: string): Identity {
  const userId = read(() => localStorage, USER_KEY) ?? `demoUser${Math.floor(Math.random() * 1_000_000)}`;
  write(() => localStorage, USER_KEY, userId);
  const role = path === '/owner' || read(() => sessionStorage, ROLE_KEY) === 'owner' ? 'owner' : 'reader';
  write(() => sessionStorage, ROLE_KEY, role);
  return { userId, role, mayEdit: true };
}

/** Where somebody with this role begins. The page is loaded anew, so that the socket is opened as that role. */
export function switchRole(role: Identity['role']): void {
  write(() => sessionStorage, ROLE_KEY, role);
  location.assign((role === 'owner' ? '/owner' : '/') + location.search);
}

function read(storage: () => Storage, key: string): string | null {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

function write(storage: () => Storage, key: string, value: string): void {
  try {
    storage().setItem(key, value);
  } catch {
    // A browser that keeps nothing gets a new demo user on every visit.
  }
}

// What a person can do and see in the app, by the roles and labels that web/README.md promises.
import assert from 'node:assert/strict';
import { until } from './chromium.mjs';

// The promise: what one browser does, another shows within a second.
export const promptly = 1_000;

export class Library {
  complaints = [];
  #outage = false;
  #timeOrigin;

  constructor(name, page) {
    this.name = name;
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') {
        this.#complain(message.text());
      }
    });
    page.on('pageerror', (error) => this.#complain(error.stack ?? error.message));
  }

  // A browser itself reports each failed request; while the server is down, that is right.
  #complain(text) {
    const unreachable = /Failed to load resource|WebSocket connection to .* failed|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED/;
    if (!(this.#outage && unreachable.test(text))) {
      this.complaints.push(text);
    }
  }

  expectOutage() {
    this.#outage = true;
  }

  async open(path) {
    await this.page.goto(path);
    await this.ready();
  }

  async ready() {
    await this.page.locator('main[data-catalogue="ready"]').waitFor();
    await this.expectConnection('live');
    this.#timeOrigin = await this.#origin();
  }

  // Takes the network from this actor's browser, by DevTools protocol, once the app is on the device.
  async goOffline() {
    await this.hasTheApp();
    this.expectOutage();
    await this.page.context().setOffline(true);
    await this.expectOffline();
  }

  // Waits until the app would open without a network.
  async hasTheApp() {
    await until(`${this.name} has the whole app`, async () => {
      assert.ok(await this.page.evaluate(() => navigator.serviceWorker.controller?.state === 'activated'));
    });
  }

  // For the other tabs of a browser that went offline.
  async expectOffline() {
    this.expectOutage();
    await this.expectConnection('offline');
  }

  async goOnline() {
    await this.page.context().setOffline(false);
  }

  // How many changes wait, as the connection says.
  async seesWaiting(count, within = promptly) {
    await until(`${this.name} sees ${count} changes waiting`, async () => {
      const shown = await this.page.locator('[data-connection]').getAttribute('data-waiting');
      assert.equal(Number(shown ?? 0), count);
    }, within);
  }

  async reload() {
    await this.page.reload();
    await this.ready();
  }

  // Reloads while there is no network: the app and the last known catalogue are on the device.
  async reloadOffline() {
    await this.page.reload();
    await this.page.locator('main[data-catalogue="ready"]').waitFor();
    await this.expectConnection('offline');
    this.#timeOrigin = await this.#origin();
  }

  // The moment at which this document began: another one after a reload.
  #origin() {
    return this.page.evaluate(() => performance.timeOrigin);
  }

  async expectNoReload() {
    assert.equal(await this.#origin(), this.#timeOrigin, `${this.name}'s page was loaded again`);
  }

  async expectConnection(state, within) {
    await until(`${this.name}'s connection is ${state}`, async () => {
      const shown = await this.page.locator('[data-connection]').evaluateAll((all) => all.map((one) => one.dataset.connection));
      assert.deepEqual(shown, [state]);
    }, within);
  }

  userId() {
    return this.page.locator('main').getAttribute('data-user-id');
  }

  books() {
    return this.page.getByRole('list', { name: 'Books' }).getByRole('listitem');
  }

  // The item of a book that is there to stay (a deleted one leaves in its own time).
  book(title) {
    return this.books()
      .and(this.page.locator('[data-book-id]:not([data-removed])'))
      .filter({ has: this.page.getByRole('button', { name: title, exact: true }) });
  }

  button(name) {
    return this.page.getByRole('button', { name, exact: true });
  }

  async sees(title, within = promptly) {
    await until(`${this.name} sees ${title}`, async () => {
      assert.equal(await this.book(title).count(), 1);
    }, within);
  }

  // Walks through the list by keyboard: from now on it holds still.
  async walksFrom(title) {
    await this.button(title).focus();
    await this.page.keyboard.press('ArrowRight');
  }

  // Whose list holds still is told of new books and asks for them.
  async asksForNewBook(title) {
    await this.button('Show 1 new book').click({ timeout: promptly });
    await this.putMouseAside();
    await this.sees(title);
  }

  // The list holds still under a pointer that has just moved over it, too.
  async putMouseAside() {
    await this.page.mouse.move(0, 0);
  }

  async seesNot(title, within = promptly) {
    await until(`${this.name} no longer sees ${title}`, async () => {
      assert.equal(await this.book(title).count(), 0);
    }, within);
  }

  async seesFavorites(title, count, within = promptly) {
    await until(`${this.name} sees ${count} favourites of ${title}`, async () => {
      assert.equal(await this.book(title).getAttribute('data-favorites', { timeout: within }), String(count));
    }, within);
  }

  async seesStatus(title, status, within = promptly) {
    await until(`${this.name} sees ${title} as ${status}`, async () => {
      assert.equal(await this.book(title).getAttribute('data-status', { timeout: within }), status);
    }, within);
  }

  // A number of the owner's desk: books, favorites, lent or online.
  async number(name) {
    return Number(await this.page.locator(`[data-stat="${name}"]`).innerText());
  }

  async seesNumber(name, want, within = promptly) {
    await until(`${this.name}'s number of ${name} is ${want}`, async () => {
      assert.equal(await this.number(name), want);
    }, within);
  }

  async toasts() {
    return this.page.locator('[data-toast]').evaluateAll((all) => all.map((one) => ({ origin: one.dataset.origin, text: one.innerText })));
  }

  dialog(name) {
    return this.page.getByRole('dialog', { name, exact: true });
  }

  async addBook({ title, author }) {
    await this.button('Add book').first().click();
    const dialog = this.dialog('Add a book');
    await dialog.getByRole('textbox', { name: 'Title' }).fill(title);
    await dialog.getByRole('textbox', { name: 'Author' }).fill(author);
    await dialog.getByRole('button', { name: 'Add book', exact: true }).click();
    await this.putMouseAside();
  }

  async editBook(title, changes) {
    await this.button(`Edit ${title}`).click();
    const dialog = this.dialog('Edit book');
    for (const [label, text] of Object.entries(changes)) {
      await dialog.getByRole('textbox', { name: label }).fill(text);
    }
    await dialog.getByRole('button', { name: 'Save changes', exact: true }).click();
    await this.putMouseAside();
  }

  async lendBook(title, reader) {
    await this.button(`Lend ${title}`).click();
    const dialog = this.dialog(`Lend ${title}`);
    await dialog.getByRole('textbox', { name: 'Lent to' }).fill(reader);
    await dialog.getByRole('button', { name: '2 weeks', exact: true }).click();
    await dialog.getByRole('button', { name: 'Lend', exact: true }).click();
    await this.putMouseAside();
  }

  async deleteBook(title) {
    await this.button(`Delete ${title}`).click();
    await this.page.getByRole('alertdialog', { name: 'Delete this book?' })
      .getByRole('button', { name: 'Delete book', exact: true }).click();
    await this.putMouseAside();
  }

  async toggleFavorite(title) {
    await this.book(title).getByRole('button', { name: `Favourite ${title}`, exact: true }).click();
    await this.putMouseAside();
  }

  async chooseTheme(name) {
    await this.button('Menu').click();
    await this.page.getByRole('group', { name: 'Theme' }).getByRole('button', { name, exact: true }).click();
    await this.page.keyboard.press('Escape');
    await this.page.getByRole('group', { name: 'Theme' }).waitFor({ state: 'hidden' });
  }
}

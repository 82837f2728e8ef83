// Two tabs, the back button, lost cookies, somebody else's link: each ends in the right app, or at one working way back.
import assert from 'node:assert/strict';
import { test, user } from '../support/cases.mjs';
import { complaints } from '../support/chromium.mjs';
import { getsTo, onward, signsIn } from './visitor.mjs';

export async function wanderings(browser, server, app) {
  const alice = user(server, 'alice');
  const bob = user(server, 'bob');
  const complained = [];

  /** One story in a fresh browser. */
  const story = (name, tells) =>
    test(name, async () => {
      const context = await browser.newContext();
      context.setDefaultTimeout(15_000);
      const heard = complaints(context);
      try {
        await tells(context, await context.newPage());
      } finally {
        complained.push(...heard.map((line) => `${name}: ${line}`));
        await context.close();
      }
    });
  const outcome = (page) => page.locator('#outcome').innerText();
  const presses = (page, id) => onward(page, () => page.locator(`#${id}`).click());
  const offersTheWayBack = async (page) => {
    assert.equal(await page.locator('#password').count(), 0, 'the sign-in page is shown');
    await page.locator('#error-page').waitFor({ state: 'attached' });
    await page.locator('#back').first().waitFor();
  };

  await story('sign-in, consent, and the app shows who it is', async (_, page) => {
    await page.goto(app.start('one', { prompt: 'consent' }));
    assert.deepEqual(await getsTo(page, app.origin, alice), ['login-submit', 'consent-accept']);
    assert.equal(await outcome(page), `one: signed in as ${alice.email}`);
  });

  await story('two tabs, two sign-ins: each ends with its own state', async (context, first) => {
    const second = await context.newPage();
    await first.goto(app.start('first'));
    await second.goto(app.start('second'));
    await getsTo(first, app.origin, alice);
    await getsTo(second, app.origin, alice);
    assert.equal(await outcome(first), `first: signed in as ${alice.email}`);
    assert.equal(await outcome(second), `second: signed in as ${alice.email}`);
  });

  await story('two tabs, the older one finished last, as somebody else', async (context, first) => {
    const second = await context.newPage();
    await first.goto(app.start('first'));
    await second.goto(app.start('second'));
    await getsTo(second, app.origin, bob);
    await getsTo(first, app.origin, alice);
    assert.match(await outcome(first), /^first: signed in as /);
    assert.equal(await outcome(second), `second: signed in as ${bob.email}`);
  });

  await story('back from consent to sign-in, and on again', async (_, page) => {
    await page.goto(app.start('one', { prompt: 'consent' }));
    await signsIn(page, alice);
    await page.locator('#consent-accept').waitFor();
    await page.goBack();
    await getsTo(page, app.origin, alice);
    assert.equal(await outcome(page), `one: signed in as ${alice.email}`);
  });

  await story('back from the app to consent, and on again', async (_, page) => {
    await page.goto(app.start('one', { prompt: 'consent' }));
    await getsTo(page, app.origin, alice);
    await page.goBack();
    assert.notEqual(new URL(page.url()).origin, app.origin);
    await getsTo(page, app.origin, alice);
  });

  await story('back from the app to the very first page, and on again', async (_, page) => {
    await page.goto(app.start('one', { prompt: 'consent' }));
    await getsTo(page, app.origin, alice);
    await page.goBack();
    await page.goBack();
    await getsTo(page, app.origin, alice);
  });

  await story('a reload of sign-in and of consent changes nothing', async (_, page) => {
    await page.goto(app.start('one', { prompt: 'consent' }));
    await page.reload();
    await signsIn(page, alice);
    await page.locator('#consent-accept').waitFor();
    await page.reload();
    await presses(page, 'consent-accept');
    assert.equal(await outcome(page), `one: signed in as ${alice.email}`);
  });

  await story('a wrong password keeps the name and says so; the right one goes on', async (_, page) => {
    await page.goto(app.start('one'));
    for (const password of ['wrong', 'wrong again']) {
      await onward(page, () => signsIn(page, { username: alice.username, password }));
      await page.locator('[role=alert]').waitFor();
      assert.equal(await page.locator('#login').inputValue(), alice.username);
      assert.equal(await page.locator('#password').inputValue(), '');
    }
    await getsTo(page, app.origin, alice);
    assert.equal(await outcome(page), `one: signed in as ${alice.email}`);
  });

  await story('an unknown person hears the same words as a wrong password', async (_, page) => {
    const said = [];
    for (const username of [alice.username, 'nobody-of-that-name']) {
      await page.goto(app.start('one'));
      await onward(page, () => signsIn(page, { username, password: 'wrong' }));
      said.push(await page.locator('[role=alert]').innerText());
    }
    assert.equal(said[0], said[1]);
  });

  await story('a denial reaches the app', async (_, page) => {
    await page.goto(app.start('one', { prompt: 'consent' }));
    await getsTo(page, app.origin, alice, { answer: 'consent-deny' });
    assert.equal(await outcome(page), 'one: access_denied');
  });

  await story('the link of a pending sign-in opens nothing in another browser', async (_, page) => {
    await page.goto(app.start('one'));
    const stranger = await browser.newContext();
    const theirs = await stranger.newPage();
    const answer = await theirs.goto(page.url());
    assert.ok(answer.status() < 500, `status ${answer.status()}`);
    await offersTheWayBack(theirs);
    await getsTo(theirs, app.origin, bob);
    await stranger.close();
    await getsTo(page, app.origin, alice);
    assert.equal(await outcome(page), `one: signed in as ${alice.email}`);
  });

  await story('cookies lost on the way: a page with the way back, which works', async (context, page) => {
    await page.goto(app.start('one'));
    await context.clearCookies();
    await onward(page, () => signsIn(page, alice));
    await offersTheWayBack(page);
    await getsTo(page, app.origin, alice);
  });

  await story('a sign-in that never was: a page with a way on', async (_, page) => {
    await page.goto(app.start('one'));
    const address = new URL(page.url());
    const invent = (id) => [...id].map((sign) => (/[a-z0-9]/i.test(sign) ? (sign === 'a' ? 'b' : 'a') : sign)).join('');
    if (address.search) for (const [name, value] of [...address.searchParams]) address.searchParams.set(name, invent(value));
    else address.pathname = address.pathname.replace(/[^/]+$/, invent);
    const answer = await page.goto(address.href);
    assert.ok(answer.status() >= 400 && answer.status() < 500, `status ${answer.status()} at ${address}`);
    await offersTheWayBack(page);
  });

  await story('another account can be chosen, with a session and on the consent page', async (_, page) => {
    await page.goto(app.start('one', { prompt: 'consent' }));
    await getsTo(page, app.origin, alice);
    await page.goto(app.start('two', { prompt: 'select_account' }));
    await page.locator('#account-current').waitFor();
    await presses(page, 'account-other');
    await getsTo(page, app.origin, bob);
    assert.equal(await outcome(page), `two: signed in as ${bob.email}`);
    await page.goto(app.start('three', { prompt: 'consent' }));
    await presses(page, 'consent-switch');
    await getsTo(page, app.origin, alice);
    assert.equal(await outcome(page), `three: signed in as ${alice.email}`);
  });

  await story('the admin page opens for the admin only', async (_, page) => {
    await page.goto(`${server.issuer}/admin`);
    await onward(page, () => signsIn(page, alice));
    await page.locator('#error-page').waitFor({ state: 'attached' });
    assert.equal((await page.goto(`${server.issuer}/admin`)).status(), 403);
  });

  await story('the admin link signs the admin in, by its button and once', async (_, page) => {
    await page.goto(server.admin_link);
    await page.reload();
    await presses(page, 'link-confirm');
    assert.equal(page.url(), `${server.issuer}/admin`);
    const other = await browser.newContext();
    const theirs = await other.newPage();
    await theirs.goto(server.admin_link);
    await presses(theirs, 'link-confirm');
    await theirs.locator('#error-page').waitFor({ state: 'attached' });
    await theirs.goto(`${server.issuer}/admin`);
    assert.equal(await theirs.locator('#password').count(), 1);
    await other.close();
  });

  await story('form_post goes on by itself', async (_, page) => {
    await page.goto(app.start('one', { prompt: 'consent', response_mode: 'form_post' }));
    await signsIn(page, alice);
    await page.locator('#consent-accept').click();
    await page.waitForURL(`${app.origin}/callback`);
    assert.equal(await outcome(page), `one: signed in as ${alice.email}`);
  });

  await test('on all these ways no page complained', () => assert.deepEqual(complained, []));
}

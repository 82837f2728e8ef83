// A look at every page: light and dark, 320 and 1280 wide. axe finds nothing, nothing is wider than the window.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, user } from '../support/cases.mjs';
import { complaints } from '../support/chromium.mjs';
import { code, link } from './mail.mjs';
import { getsTo, onward, signsIn } from './visitor.mjs';

const AXE = readFileSync(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const DIRECTORY = process.env.SYMBOLON_SCREENSHOTS;

export async function gallery(browser, server, app) {
  mkdirSync(DIRECTORY, { recursive: true });
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [320, 1280]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' });
      context.setDefaultTimeout(15_000);
      const complained = complaints(context);
      const looks = (page, name) => test(`${name} · ${colorScheme} · ${width}`, () => look(page, `${name}-${colorScheme}-${width}`));
      await test(`the walk · ${colorScheme} · ${width}`, async () => walk(await context.newPage(), { server, app, looks }));
      await test(`no page complained · ${colorScheme} · ${width}`, () => assert.deepEqual(complained, []));
      await context.close();
    }
  }
  console.log(`screenshots are in ${DIRECTORY}`);
}

// Past every page there is, in the order in which a person could meet them.
async function walk(page, { server, app, looks }) {
  // Bob has little history: his account page shows how the first days look.
  const bob = user(server, 'bob');
  const presses = (id) => onward(page, () => page.locator(`#${id}`).click());

  await page.goto(`${server.issuer}/`);
  await looks(page, 'home');
  await page.goto(server.mailbox);
  await looks(page, 'mailbox');
  await page.goto(`${app.metadata.authorization_endpoint}?client_id=nobody&response_type=code`);
  await page.locator('#error-page').waitFor({ state: 'attached' });
  await looks(page, 'error');
  await presses('error-docs');
  await looks(page, 'error-docs-one');
  await page.goto(`${server.issuer}/docs/errors`);
  await looks(page, 'error-docs');

  await page.goto(server.demo);
  await looks(page, 'demo');
  await presses('demo-prompt-none');
  await page.locator('#demo-error').waitFor({ state: 'attached' });
  await looks(page, 'demo-error');
  await presses('demo-sign-in');
  await looks(page, 'sign-in-demo');
  await getsTo(page, new URL(server.demo).origin, bob);
  await page.locator('#signed-in-as').waitFor();
  await looks(page, 'demo-signed-in');
  await page.context().clearCookies();

  await readsPictures(page, { server, app, looks });
  await forgets(page, { server, app, looks });
  await comesAndGoes(page, { server, app, looks });
  await page.goto(app.start('look', { prompt: 'consent', scope: 'openid profile email phone address offline_access' }));
  await looks(page, 'sign-in');
  await onward(page, () => signsIn(page, { username: bob.username, password: 'wrong' }));
  await page.locator('[role=alert]').waitFor();
  await looks(page, 'sign-in-error');
  await onward(page, () => signsIn(page, bob));
  await page.locator('#consent-accept').waitFor();
  await looks(page, 'consent');
  await presses('consent-accept');
  assert.equal(await page.locator('#outcome').innerText(), `look: signed in as ${bob.email}`);

  await page.goto(app.start('look', { prompt: 'select_account' }));
  await page.locator('#account-current').waitFor();
  await looks(page, 'select-account');
  await page.goto(app.start('look', { prompt: 'login' }));
  await page.locator('#password').waitFor();
  await looks(page, 'sign-in-again');

  // Without its script the page that posts the answer stays to be looked at.
  await page.route('**/*.js', (route) => route.abort());
  await page.goto(app.start('look', { prompt: 'consent', response_mode: 'form_post' }));
  await presses('consent-accept');
  await page.locator('form').first().waitFor();
  await looks(page, 'form-post');
  await page.unroute('**/*.js');

  await page.goto(`${server.issuer}/account`);
  assert.equal(new URL(page.url()).pathname, new URL(`${server.issuer}/account`).pathname, 'the account page asks to sign in');
  await looks(page, 'account');
  await rooms(page, { server, looks });
  await settings(page, { server, looks });
  await page.goto(app.metadata.end_session_endpoint);
  await page.locator('#logout-confirm').waitFor();
  await looks(page, 'logout');
  await presses('logout-confirm');
  await page.locator('#logged-out').waitFor({ state: 'attached' });
  await looks(page, 'signed-out');

  await page.goto(server.admin_link);
  await page.locator('#link-confirm').waitFor();
  await looks(page, 'sign-in-link');
  await page.goto(`${server.issuer}/admin`);
  await looks(page, 'sign-in-alone');
  await onward(page, () => signsIn(page, user(server, 'admin')));
  assert.equal(page.url(), `${server.issuer}/admin`);
  await looks(page, 'admin');
  await page.goto(`${server.demo}/spa`);
  await looks(page, 'demo-spa');
}

// What a person without an account, or without their password, meets.
async function forgets(page, { server, app, looks }) {
  const sends = async (fields, button) => {
    for (const [id, value] of Object.entries(fields)) await page.locator(`#${id}`).fill(value);
    await onward(page, () => page.locator(`#${button}`).click());
  };
  await page.goto(app.start('look', { prompt: 'create' }));
  await onward(page, () => page.locator('#register-by-phone').click());
  await looks(page, 'register-phone');
  const number = `+3162${String(Date.now() % 10_000_000).padStart(7, '0')}`;
  await sends({ phone: number, password: 'correct horse battery staple' }, 'register-submit');
  await page.locator('#code-submit').waitFor();
  await looks(page, 'register-phone-code');
  await page.goto(app.start('look', { prompt: 'create' }));
  await looks(page, 'register');
  await sends({ email: 'nobody', password: 'short' }, 'register-submit');
  await page.locator('#form-error').waitFor();
  await looks(page, 'register-mistakes');
  const email = `carol-${Date.now()}@example.net`;
  await sends({ email, password: 'correct horse battery staple' }, 'register-submit');
  await page.locator('#code-submit').waitFor();
  await looks(page, 'register-code');
  await sends({ code: 'nonsense' }, 'code-submit');
  await page.locator('#code-mistake').waitFor();
  await looks(page, 'register-code-wrong');

  await sends({ code: await code(server, email) }, 'code-submit');
  await page.context().clearCookies();

  await page.goto(app.start('look'));
  await onward(page, () => page.locator('#recover').click());
  await looks(page, 'recover');
  await sends({ login: email }, 'recover-submit');
  await page.locator('#notice-reset_sent').waitFor();
  await looks(page, 'recover-sent');
  await page.goto(await link(server, email, '/recover/password'));
  await looks(page, 'new-password');
  await sends({ password: 'password1' }, 'new-password-submit');
  await page.locator('#password-mistake').waitFor();
  await looks(page, 'new-password-weak');
  await sends({ password: 'seven quiet herons at dawn' }, 'new-password-submit');
  await page.locator('#notice-password_set').waitFor();
  await looks(page, 'password-set');
  await page.goto(app.start('look'));
  await onward(page, () => page.locator('#recover').click());
  await sends({ login: `not-${email}` }, 'recover-code');
  await page.locator('#code-submit').waitFor();
  await looks(page, 'recover-code');
  await page.goto(app.start('look'));
  await onward(page, () => page.locator('#recover').click());
  await onward(page, () => page.locator('#recover-other').click());
  await looks(page, 'recover-email');
  await page.context().clearCookies();
}

// Sign-in by a picture, and the pages of the phone that reads it.
async function readsPictures(page, { server, app, looks }) {
  const phone = await page.context().browser().newContext({ viewport: page.viewportSize(), reducedMotion: 'reduce' });
  phone.setDefaultTimeout(15_000);
  const hand = await phone.newPage();
  await page.goto(app.start('look'));
  await onward(page, () => page.locator('#method-qr').click());
  await looks(page, 'qr-start');
  await onward(page, () => page.locator('#qr-begin').click());
  await page.locator('#qr-picture').waitFor();
  await looks(page, 'qr');
  await hand.goto(`${server.issuer}/device?user_code=${await page.locator('#qr-user-code').innerText()}`);
  await onward(hand, () => signsIn(hand, user(server, 'bob')));
  await hand.locator('#device-accept').waitFor();
  await looks(hand, 'device-sign-in');
  await page.locator('#qr-state[data-state=seen]').waitFor();
  await looks(page, 'qr-seen');
  await onward(hand, () => hand.locator('#device-deny').click());
  await looks(hand, 'device-denied');
  await page.locator('#qr-error').waitFor();
  await looks(page, 'qr-denied');
  await hand.goto(`${server.issuer}/device`);
  await looks(hand, 'device');
  await hand.locator('#user-code').fill('BBBB-BBBB');
  await onward(hand, () => hand.locator('#device-submit').click());
  await hand.locator('#device-error').waitFor();
  await looks(hand, 'device-unknown');
  const registered = await fetch(app.metadata.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'A television', application_type: 'native', token_endpoint_auth_method: 'none', grant_types: ['urn:ietf:params:oauth:grant-type:device_code'] }),
  });
  const { client_id } = await registered.json();
  const begun = await fetch(app.metadata.device_authorization_endpoint, { method: 'POST', body: new URLSearchParams({ client_id, scope: 'openid profile email' }) });
  await hand.goto((await begun.json()).verification_uri_complete);
  await looks(hand, 'device-app');
  await onward(hand, () => hand.locator('#device-accept').click());
  await looks(hand, 'device-approved');
  await phone.close();
  await page.context().clearCookies();
}

// Each page that the console leads to: the list is the console's own, so a new page is looked at without a word here.
async function rooms(page, { server, looks }) {
  const doors = page.locator('.links a[id^=console-]');
  const ids = await doors.evaluateAll((links) => links.map(({ id }) => id));
  assert.ok(ids.length >= 5, `the console leads to ${ids.join(', ') || 'nothing'}`);
  for (const id of ids) {
    await page.goto(`${server.issuer}/account`);
    await onward(page, () => page.locator(`#${id}`).click());
    await looks(page, id);
  }
}

// An account from its beginning to its end, and back again by what is in the mailbox.
async function comesAndGoes(page, { server, app, looks }) {
  const presses = (id) => onward(page, () => page.locator(`#${id}`).click());
  const email = `dave-${Date.now()}@example.net`;
  await page.goto(app.start('look', { prompt: 'create' }));
  await page.locator('#email').fill(email);
  const field = page.locator('#password');
  await field.fill('dave');
  await page.locator('[data-weakness=password_too_short]').waitFor({ state: 'visible' });
  await looks(page, 'register-weak');
  await field.fill('seven quiet herons at dawn');
  await page.locator('[data-good]').waitFor({ state: 'visible' });
  await looks(page, 'register-good');
  await presses('register-submit');
  await page.locator('#code').fill(await code(server, email));
  await presses('code-submit');

  await page.goto(`${server.issuer}/account/data`);
  await presses('export');
  await looks(page, 'my-data-asked');
  await page.locator('#sure').check();
  await presses('delete');
  await looks(page, 'deleted');
  await page.goto(await link(server, email, '/account/restore'));
  await looks(page, 'restore');
  await presses('mailed-confirm');
  await looks(page, 'restored');
  await presses('next');
  await page.context().clearCookies();
}

// What somebody who is signed in changes of their account.
async function settings(page, { server, looks }) {
  const opens = async (name) => {
    await page.goto(`${server.issuer}/account`);
    await onward(page, () => page.locator(`#console-${name}`).click());
  };
  await opens('profile');
  await page.locator('#website').fill('nonsense');
  await onward(page, () => page.locator('#profile-submit').click());
  await page.locator('#website-mistake').waitFor();
  await looks(page, 'profile-mistake');
  await opens('contacts');
  await page.locator('#email').fill(`bob-${Date.now()}@example.net`);
  await onward(page, () => page.locator('#add-email').click());
  await page.locator('#contact-confirm').waitFor();
  await looks(page, 'contacts-code');
  await opens('password');
  await looks(page, 'password');
  for (const [id, value] of [['current_password', 'wrong'], ['password', '12345'], ['confirm_password', '54321']]) {
    await page.locator(`#${id}`).fill(value);
  }
  await onward(page, () => page.locator('#password-submit').click());
  await page.locator('#current_password-mistake').waitFor();
  await looks(page, 'password-mistakes');
}

/** Takes a picture; fails where the page is wider than its window, or axe finds something. */
export async function look(page, name) {
  await page.screenshot({ path: join(DIRECTORY, `${name}.png`), fullPage: true });
  const { wide, seen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, seen: document.documentElement.clientWidth }));
  assert.ok(wide <= seen, `${wide} px wide in a window of ${seen}`);
  // Evaluated by the debugger, so that the page's own Content-Security-Policy stays in force.
  await page.evaluate(AXE);
  const violations = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } });
    return result.violations.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.map(({ target }) => target.join(' ')).slice(0, 3).join(', ')}`);
  });
  assert.deepEqual(violations, []);
}

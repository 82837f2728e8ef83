// The bundled demo app: signed in after at most three actions, and each exchange shown raw.
import assert from 'node:assert/strict';
import { test, user } from '../support/cases.mjs';
import { complaints } from '../support/chromium.mjs';
import { getsTo, onward } from './visitor.mjs';

// Each button and what its exchange shows, in an order in which each one still has what it needs.
const EXCHANGES = [
  ['demo-userinfo', /oauth2\/userinfo[\s\S]*alice@example\.com/],
  ['demo-introspect', /oauth2\/introspect[\s\S]*"active":\s*true/],
  ['demo-verify', /oauth2\/jwks[\s\S]*"kid"/],
  ['demo-refresh', /oauth2\/token[\s\S]*refresh_token/],
  ['demo-revoke', /oauth2\/revoke/],
];

export async function demo(browser, server) {
  const origin = new URL(server.demo).origin;
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  const complained = complaints(context);
  const page = await context.newPage();

  const signedIn = await test('demo: at most three actions to "signed in as …"', async () => {
    await page.goto(server.demo);
    let actions = 0;
    const presses = async (id) => {
      await onward(page, () => page.locator(`#${id}`).click());
      actions += 1;
    };
    await presses('demo-sign-in');
    await presses('dev-sign-in-alice');
    if (await page.locator('#consent-accept').count()) await presses('consent-accept');
    const told = await page.locator('#signed-in-as').innerText();
    assert.match(told, /signed in as \S+/i);
    assert.ok(actions <= 3, `${actions} actions`);
    return told;
  });
  if (!signedIn) return context.close();

  await test('demo: authorization and token are shown raw', async () => {
    const shown = (await page.locator('.exchange').allTextContents()).join('\n');
    assert.match(shown, /code_challenge/);
    assert.match(shown, /authorization_code/);
    assert.match(shown, /"?id_token/);
  });

  for (const [id, expected] of EXCHANGES) {
    await test(`demo: #${id} shows its exchange`, () => assertShows(page, id, expected));
  }

  await test('demo: after the revocation, introspection tells the token inactive', () => assertShows(page, 'demo-introspect', /"active":\s*false/));

  await test('demo: sign out ends at the demo app, signed out', async () => {
    await page.locator('#demo-sign-out').click();
    const confirm = page.locator('#logout-confirm');
    await confirm.or(page.locator('#demo-sign-in')).first().waitFor();
    if (await confirm.count()) await getsTo(page, origin, user(server, 'alice'));
    await page.locator('#demo-sign-in').waitFor();
    assert.equal(new URL(page.url()).origin, origin);
    assert.equal(await page.locator('#signed-in-as').count(), 0);
  });

  await test('demo: after signing out, the next sign-in asks who it is', async () => {
    await onward(page, () => page.locator('#demo-sign-in').click());
    assert.equal(await page.locator('#password').count(), 1);
  });

  await test('demo: typing works as the buttons do, and a denial is told as access_denied', async () => {
    const other = await browser.newContext();
    other.setDefaultTimeout(15_000);
    const tab = await other.newPage();
    await tab.goto(server.demo);
    await onward(tab, () => tab.locator('#demo-sign-in').click());
    const pressed = await getsTo(tab, origin, user(server, 'bob'), { answer: 'consent-deny' });
    assert.deepEqual(pressed, ['login-submit', 'consent-deny']);
    assert.match(await tab.locator('body').innerText(), /access_denied/);
    assert.equal(await tab.locator('#signed-in-as').count(), 0);
    await other.close();
  });

  await test('demo: no page complained', () => assert.deepEqual(complained, []));
  await context.close();
}

// Presses the button; an exchange that was not there before must match. It may arrive with a new page or into this one.
async function assertShows(page, id, expected) {
  const exchanges = () => page.locator('.exchange').allTextContents().catch(() => []);
  const before = await exchanges();
  await page.locator(`#${id}`).click();
  const until = Date.now() + 10_000;
  for (;;) {
    const old = [...before];
    const added = (await exchanges()).filter((text) => old.indexOf(text) < 0 || !old.splice(old.indexOf(text), 1));
    const shown = added.join('\n');
    if (expected.test(shown)) return;
    if (Date.now() > until) assert.match(shown.slice(0, 2_000), expected);
    await page.waitForTimeout(50);
  }
}

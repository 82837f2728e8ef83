// oidc-client-ts in Chromium: sign in by redirect, profile, refresh and userinfo with CORS, silent sign-in, sign out.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { facts, test, user } from '../../support/cases.mjs';
import { complaints, launches } from '../../support/chromium.mjs';
import { staticServer } from './static-server.mjs';

const server = facts();
const alice = user(server, 'alice');
const metadata = await (await fetch(`${server.issuer}/.well-known/openid-configuration`)).json();
const app = await staticServer();
const stranger = await staticServer();
const browser = await launches(chromium);

try {
  const registered = await test('the app registers itself as a public client', async () => {
    const response = await fetch(metadata.registration_endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'A single-page app',
        application_type: 'web',
        redirect_uris: [`${app.origin}/callback`],
        post_logout_redirect_uris: [`${app.origin}/signed-out`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        scope: 'openid profile email offline_access',
      }),
    });
    const body = await response.json();
    assert.equal(response.status, 201, JSON.stringify(body));
    assert.equal(body.client_secret, undefined);
    return body;
  });
  if (registered) await drives(registered.client_id);
} finally {
  await browser.close();
  app.close();
  stranger.close();
}

async function drives(client_id) {
  app.settings = {
    authority: server.issuer,
    client_id,
    redirect_uri: `${app.origin}/callback`,
    silent_redirect_uri: `${app.origin}/callback`,
    post_logout_redirect_uri: `${app.origin}/signed-out`,
    scope: 'openid profile email offline_access',
  };
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  const complained = complaints(context);
  const page = await context.newPage();

  /** Presses a button of the app and gives what the app shows then. */
  const presses = async (id) => {
    const turn = Number(await page.locator('#result').getAttribute('data-turn'));
    await page.locator(`#${id}`).click();
    await page.locator(`#result[data-turn="${turn + 1}"]`).waitFor({ state: 'attached' });
    return JSON.parse(await page.locator('#result').textContent())[id];
  };
  const shown = async () => JSON.parse(await page.locator('#result[data-turn]').textContent());

  const first = await test('sign in by redirect: the app shows the profile', async () => {
    await page.goto(`${app.origin}/`);
    await page.locator('#result[data-turn="1"]').waitFor({ state: 'attached' });
    await page.locator('#sign-in').click();
    await page.locator('#login').fill(alice.username);
    await page.locator('#password').fill(alice.password);
    await page.locator('#login-submit').click();
    await page.locator('#consent-accept').click();
    await page.waitForURL(`${app.origin}/`);
    const { callback } = await shown();
    assert.equal(await page.locator('#signed-in-as').textContent(), `signed in as ${callback.profile.preferred_username ?? callback.profile.sub}`);
    assert.equal(callback.profile.email, alice.email);
    assert.equal(callback.profile.iss, server.issuer);
    assert.ok(callback.refresh_token);
    return callback;
  });
  if (!first) return;

  await test('userinfo, cross-origin with a preflight for Authorization', async () => {
    const { status, body } = await presses('userinfo');
    assert.equal(status, 200);
    assert.equal(body.sub, first.profile.sub);
  });

  await test('refresh, cross-origin: the tokens are new and the refresh token rotates', async () => {
    const next = await presses('refresh');
    assert.ok(next.access_token, JSON.stringify(next));
    assert.notEqual(next.access_token, first.access_token);
    assert.notEqual(next.refresh_token, first.refresh_token);
  });

  await test('a page of an origin that no client registered may not read tokens', async () => {
    const foreign = await context.newPage();
    await foreign.goto(`${stranger.origin}/`);
    const read = await foreign.evaluate(async ([token, discovery]) => {
      const may = async (url, init) => fetch(url, init).then((response) => response.status, () => 'refused');
      return {
        discovery: await may(discovery),
        token: await may(token, { method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code', code: 'x' }) }),
      };
    }, [metadata.token_endpoint, `${server.issuer}/.well-known/openid-configuration`]);
    await foreign.close();
    assert.deepEqual(read, { discovery: 200, token: 'refused' });
    complained.splice(0, complained.length, ...complained.filter((line) => !line.includes('CORS')));
  });

  await test('silent sign-in: prompt=none in a hidden frame', async () => {
    const silent = await presses('sign-in-silently');
    assert.ok(silent.access_token, JSON.stringify(silent));
    assert.equal(silent.profile.sub, first.profile.sub);
  });

  await test('revocation, cross-origin: the access token opens nothing any more', async () => {
    assert.equal(await presses('revoke'), 'done');
    const refused = await presses('userinfo');
    assert.ok(refused.status === 401 || refused.failed, JSON.stringify(refused));
  });

  await test('sign out by redirect comes back to the app, and the session is over', async () => {
    await page.locator('#sign-out').click();
    const confirm = page.locator('#logout-confirm');
    await Promise.race([page.waitForURL(`${app.origin}/signed-out**`), confirm.waitFor()]);
    if (await confirm.isVisible()) await confirm.click();
    await page.waitForURL(`${app.origin}/signed-out**`);
    await page.locator('#result[data-turn="1"]').waitFor({ state: 'attached' });
    assert.equal(await page.locator('#signed-in-as').textContent(), 'nobody');
    assert.deepEqual(await presses('sign-in-silently'), { failed: 'login_required' });
  });

  await test('no page complained: no CSP violation, no script error, no 5xx', () => assert.deepEqual(complained, []));
  await context.close();
}

// The session at the server: prompt, max_age, hints (OIDC Core §3.1.2.1) and RP-initiated logout.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as client from 'openid-client';
import { test, user } from '../../support/cases.mjs';
import { forms, hasId } from '../../support/html.mjs';
import { Person } from '../../support/person.mjs';
import { RelyingParty, SIGNED_OUT, WEB, refused } from './relying-party.mjs';

export async function sessions(server) {
  const alice = user(server, 'alice');
  const app = await RelyingParty.registers(server.issuer, { post_logout_redirect_uris: [SIGNED_OUT] });
  const asksSilently = async (person) => {
    const { url, checks } = await app.asks({ prompt: 'none' });
    return client.authorizationCodeGrant(app.config, await person.visits(url, WEB), checks);
  };

  await test('prompt=none without a session is login_required, at the app', async () => {
    await refused(asksSilently(new Person(alice)), 'login_required');
  });

  await test('prompt=none before consent is consent_required, at the app', async () => {
    const other = await RelyingParty.registers(server.issuer);
    const person = new Person(alice);
    await app.signsIn(person);
    const { url, checks } = await other.asks({ prompt: 'none' });
    await refused(client.authorizationCodeGrant(other.config, await person.visits(url, WEB), checks), 'consent_required');
  });

  await test('prompt=none with a session signs in without a page', async () => {
    const person = new Person(alice);
    const { claims } = await app.signsIn(person);
    const silent = await asksSilently(person);
    assert.deepEqual(person.asked, []);
    assert.equal(silent.claims().sub, claims.sub);
    assert.equal(silent.claims().auth_time, claims.auth_time);
  });

  await test('a second sign-in asks nothing: the session lives and consent is remembered', async () => {
    const person = new Person(alice);
    await app.signsIn(person);
    await app.signsIn(person);
    assert.deepEqual(person.asked, []);
  });

  await test('prompt=consent asks again, prompt=login authenticates again', async () => {
    const person = new Person(alice);
    const { claims } = await app.signsIn(person);
    await app.signsIn(person, { prompt: 'consent' });
    assert.deepEqual(person.asked, ['consent']);
    await sleep(1100);
    const again = await app.signsIn(person, { prompt: 'login' });
    assert.equal(person.asked[0], 'sign-in');
    assert.ok(again.claims.auth_time > claims.auth_time, 'auth_time did not move');
  });

  await test('max_age is enforced: an older authentication is made again', async () => {
    const person = new Person(alice);
    await app.signsIn(person);
    await sleep(2100);
    await app.signsIn(person, { max_age: '600' });
    assert.deepEqual(person.asked, []);
    await app.signsIn(person, { max_age: '1' });
    assert.equal(person.asked[0], 'sign-in');
  });

  await test('login_hint fills the identifier in', async () => {
    const { url } = await app.asks({ login_hint: alice.email });
    const page = await new Person(alice).opens(url, WEB);
    const login = forms(page.html).flatMap(({ controls }) => controls).find(({ id }) => id === 'login');
    assert.equal(login?.value, alice.email);
  });

  await test('id_token_hint of another person is login_required with prompt=none', async () => {
    const bob = await app.signsIn(new Person(user(server, 'bob')));
    const person = new Person(alice);
    await app.signsIn(person);
    const { url, checks } = await app.asks({ prompt: 'none', id_token_hint: bob.tokens.id_token });
    await refused(client.authorizationCodeGrant(app.config, await person.visits(url, WEB), checks), 'login_required');
  });

  await test('RP-initiated logout with id_token_hint comes back to the app and ends the session', async () => {
    const person = new Person(alice);
    const { tokens } = await app.signsIn(person);
    const state = client.randomState();
    const url = client.buildEndSessionUrl(app.config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: SIGNED_OUT, state });
    let page = await person.opens(url, SIGNED_OUT);
    if (!page.landed) page = await person.submits(page, 'logout-confirm');
    assert.ok(page.landed, `stayed at ${page.url}`);
    assert.equal(page.landed.searchParams.get('state'), state);
    await refused(asksSilently(person), 'login_required');
  });

  await test('RP-initiated logout without a hint asks first, then says signed out', async () => {
    const person = new Person(alice);
    await app.signsIn(person);
    const page = await person.opens(app.config.serverMetadata().end_session_endpoint);
    assert.ok(hasId(page.html, 'logout-confirm'), 'no question');
    await asksSilently(person);
    const done = await person.submits(page, 'logout-confirm');
    assert.ok(hasId(done.html, 'logged-out'), 'no #logged-out');
    await refused(asksSilently(person), 'login_required');
  });

  await test('an unregistered post_logout_redirect_uri is never followed', async () => {
    const person = new Person(alice);
    const { tokens } = await app.signsIn(person);
    const elsewhere = 'http://localhost:47118/elsewhere';
    const url = client.buildEndSessionUrl(app.config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: elsewhere });
    let page = await person.opens(url, elsewhere);
    if (!page.landed && hasId(page.html, 'logout-confirm')) page = await person.submits({ ...page, redirectUri: elsewhere }, 'logout-confirm');
    assert.equal(page.landed, undefined, 'was followed');
  });
}

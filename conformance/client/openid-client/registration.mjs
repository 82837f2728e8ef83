// Dynamic registration and its management (RFC 7591, RFC 7592).
import assert from 'node:assert/strict';
import { test, user } from '../../support/cases.mjs';
import { Person } from '../../support/person.mjs';
import { hasId } from '../../support/html.mjs';
import { RelyingParty, WEB, refused } from './relying-party.mjs';

const MOVED = 'http://localhost:47112/moved';
// What an update must not carry (RFC 7592 §2.2).
const NOT_SENT = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'];

export async function registration(server) {
  const manages = async (metadata, method, body) => {
    const response = await fetch(metadata.registration_client_uri, {
      method,
      headers: { authorization: `Bearer ${metadata.registration_access_token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text && JSON.parse(text) };
  };
  const app = await test('registration gives a client with its management URI and token', async () => {
    const registered = await RelyingParty.registers(server.issuer, { client_name: 'A library', 'client_name#de': 'Eine Bibliothek' });
    const { registration_client_uri, registration_access_token, client_secret_expires_at } = registered.metadata;
    assert.ok(registration_client_uri.startsWith(server.issuer));
    assert.ok(registration_access_token);
    assert.equal(client_secret_expires_at, 0);
    return registered;
  });
  if (!app) return;
  let current = app.metadata;

  await test('read gives the registered metadata', async () => {
    const { status, body } = await manages(current, 'GET');
    assert.equal(status, 200);
    assert.equal(body.client_id, current.client_id);
    assert.equal(body.client_name, 'A library');
    assert.deepEqual(body.redirect_uris, [WEB]);
    current = { ...current, ...body };
  });

  await test('update replaces it: the new redirect URI works, the old one does not', async () => {
    const replacement = Object.fromEntries(Object.entries(current).filter(([name]) => !NOT_SENT.includes(name)));
    const { status, body } = await manages(current, 'PUT', { ...replacement, client_name: 'A bigger library', redirect_uris: [MOVED] });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.client_name, 'A bigger library');
    assert.deepEqual(body.redirect_uris, [MOVED]);
    current = { ...current, ...body };
    const moved = app.with({ client_secret: current.client_secret });
    moved.redirectUri = MOVED;
    await moved.with({}, basic(current)).signsIn(new Person(user(server, 'alice')));
    const { url } = await app.asks();
    const page = await new Person(user(server, 'alice')).opens(url, WEB);
    assert.ok(!page.landed && hasId(page.html, 'error-page'), 'the old redirect URI still works');
  });

  await test('an update with a foreign client_id is refused', async () => {
    const { status } = await manages(current, 'PUT', { client_id: 'somebody-else', redirect_uris: [WEB] });
    assert.equal(status, 400);
  });

  await test('a wrong registration access token opens nothing', async () => {
    const { status } = await manages({ ...current, registration_access_token: 'wrong' }, 'GET');
    assert.equal(status, 401);
  });

  await test('delete ends the client: its management and its token requests are refused', async () => {
    assert.equal((await manages(current, 'DELETE')).status, 204);
    assert.equal((await manages(current, 'GET')).status, 401);
    await refused(app.with({}, basic(current)).introspects('not-a-token'), 'invalid_client');
  });

  for (const [why, metadata, error] of [
    ['a redirect URI with a fragment', { redirect_uris: ['https://app.example/cb#x'] }, 'invalid_redirect_uri'],
    ['a javascript: redirect URI', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['no redirect URI for the code grant', { redirect_uris: [] }, 'invalid_redirect_uri invalid_client_metadata'],
    ['redirect_uris of a wrong type', { redirect_uris: 'https://app.example/cb' }, 'invalid_redirect_uri invalid_client_metadata'],
    ['an unknown authentication method', { redirect_uris: [WEB], token_endpoint_auth_method: 'magic' }, 'invalid_client_metadata'],
    ['jwks and jwks_uri together', { redirect_uris: [WEB], jwks: { keys: [] }, jwks_uri: 'https://app.example/jwks' }, 'invalid_client_metadata'],
  ]) {
    await test(`registration refuses ${why}`, async () => {
      const response = await fetch(app.config.serverMetadata().registration_endpoint, {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(metadata),
      });
      const body = await response.json();
      assert.equal(response.status, 400);
      assert.ok(error.split(' ').includes(body.error), JSON.stringify(body));
    });
  }
}

function basic({ client_id, client_secret }) {
  const encode = (value) => encodeURIComponent(value).replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`).replace(/%20/g, '+');
  return (_as, _client, _body, headers) => headers.set('authorization', `Basic ${btoa(`${encode(client_id)}:${encode(client_secret)}`)}`);
}

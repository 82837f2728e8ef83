// Discovery and the authorization code flow (OIDC Core §3.1) with PKCE, userinfo, introspection, revocation.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as client from 'openid-client';
import { test, user } from '../../support/cases.mjs';
import { hasId } from '../../support/html.mjs';
import { Person } from '../../support/person.mjs';
import { NATIVE, RelyingParty, WEB, refused } from './relying-party.mjs';

export async function codeFlow(server) {
  const alice = user(server, 'alice');
  const app = await test('a web app registers itself and discovers the server', async () => {
    const registered = await RelyingParty.registers(server.issuer);
    const metadata = registered.config.serverMetadata();
    assert.equal(metadata.issuer, server.issuer);
    assert.ok(metadata.supportsPKCE('S256'));
    assert.ok(!metadata.code_challenge_methods_supported.includes('plain'), 'plain is offered');
    assert.equal(metadata.authorization_response_iss_parameter_supported, true);
    assert.ok(registered.metadata.client_secret);
    return registered;
  });
  if (!app) return;

  const first = await test('code flow with PKCE: signature, iss, aud, nonce and at_hash of the ID token hold', async () => {
    const person = new Person(alice);
    const { tokens, claims, answer, checks } = await app.signsIn(person);
    assert.deepEqual(person.asked, ['sign-in', 'consent']);
    assert.equal(answer.searchParams.get('iss'), server.issuer);
    assert.equal(answer.hash, '');
    assert.equal(claims.iss, server.issuer);
    assert.deepEqual([claims.aud].flat(), [app.metadata.client_id]);
    assert.equal(claims.nonce, checks.expectedNonce);
    assert.equal(claims.at_hash, half(tokens.access_token));
    assert.ok(Math.abs(claims.auth_time - Date.now() / 1000) < 60, `auth_time ${claims.auth_time}`);
    assert.ok(claims.exp > claims.iat);
    assert.equal(tokens.token_type.toLowerCase(), 'bearer');
    assert.ok(tokens.expires_in > 0);
    return { tokens, claims, answer, checks };
  });
  if (!first) return;

  await test('userinfo gives the claims of the granted scopes, for the same sub', async () => {
    const info = await client.fetchUserInfo(app.config, first.tokens.access_token, first.claims.sub);
    assert.equal(info.email, alice.email);
    assert.equal(info.email_verified, true);
    assert.equal(typeof info.name, 'string');
    assert.equal(info.phone_number, undefined);
  });

  await test('an ID token opens nothing at userinfo', async () => {
    const error = await refused(client.fetchUserInfo(app.config, first.tokens.id_token, first.claims.sub), 'invalid_token');
    assert.equal(error.status, 401);
  });

  await test('introspection tells an access token active, with its client and scope', async () => {
    const told = await app.introspects(first.tokens.access_token);
    assert.equal(told.active, true);
    assert.equal(told.client_id, app.metadata.client_id);
    assert.equal(told.sub, first.claims.sub);
    assert.ok(told.scope.split(' ').includes('openid'));
    assert.ok(told.exp > Date.now() / 1000);
  });

  await test('introspection tells a made-up token inactive and nothing else', async () => {
    assert.deepEqual({ ...(await app.introspects('not-a-token')) }, { active: false });
  });

  await test('a code redeemed twice is refused and its tokens die', async () => {
    const { tokens, answer, checks } = await app.signsIn(new Person(alice));
    await refused(client.authorizationCodeGrant(app.config, answer, checks), 'invalid_grant');
    assert.equal((await app.introspects(tokens.access_token)).active, false);
  });

  await test('a verifier of another flow is refused', async () => {
    const { url, checks } = await app.asks();
    const answer = await new Person(alice).visits(url, WEB);
    await refused(client.authorizationCodeGrant(app.config, answer, { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() }), 'invalid_grant');
  });

  await test('a code of another client is refused', async () => {
    const other = await RelyingParty.registers(server.issuer);
    const { url, checks } = await app.asks();
    const answer = await new Person(alice).visits(url, WEB);
    await refused(client.authorizationCodeGrant(other.config, answer, checks), 'invalid_grant');
  });

  await test('revocation: a revoked access token is inactive and opens nothing', async () => {
    const { tokens, claims } = await app.signsIn(new Person(alice));
    await app.revokes(tokens.access_token);
    assert.equal((await app.introspects(tokens.access_token)).active, false);
    const error = await refused(client.fetchUserInfo(app.config, tokens.access_token, claims.sub), 'invalid_token');
    assert.equal(error.status, 401);
  });

  await test('a public native app on a loopback port of its own choice', async () => {
    const native = await RelyingParty.registers(server.issuer, { application_type: 'native', redirect_uris: [NATIVE], token_endpoint_auth_method: 'none' });
    assert.equal(native.metadata.client_secret, undefined);
    native.redirectUri = 'http://127.0.0.1:51234/cb';
    const person = new Person(alice);
    const { claims } = await native.signsIn(person);
    assert.equal(claims.sub, first.claims.sub);
    await native.signsIn(person);
    assert.deepEqual(person.asked, ['consent'], 'a public loopback client is asked each time (RFC 8252 §8.6)');
  });

  for (const mode of ['query', 'form_post']) {
    await test(`response_mode=${mode}`, async () => {
      const { claims, answer } = await app.signsIn(new Person(alice), { response_mode: mode });
      assert.equal(claims.sub, first.claims.sub);
      assert.equal(answer instanceof Request, mode === 'form_post');
    });
  }

  await test('a refusal on the consent page reaches the app as access_denied', async () => {
    const { url, checks } = await app.asks({ prompt: 'consent' });
    const answer = await new Person(alice, { answer: 'consent-deny' }).visits(url, WEB);
    await refused(client.authorizationCodeGrant(app.config, answer, checks), 'access_denied');
  });

  await test('an unknown redirect URI ends at an error page, not at the app', async () => {
    const { url } = await app.asks({ redirect_uri: `${WEB}/` });
    const page = await new Person(alice).opens(url, `${WEB}/`);
    assert.equal(page.landed, undefined, 'was redirected');
    assert.ok(page.status >= 400 && page.status < 500, `status ${page.status}`);
    assert.ok(hasId(page.html, 'error-page'));
  });

  await test('a request without code_challenge from a public client is refused', async () => {
    const native = await RelyingParty.registers(server.issuer, { application_type: 'native', redirect_uris: [NATIVE], token_endpoint_auth_method: 'none' });
    const { url, checks } = await native.asks();
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    const answer = await new Person(alice).visits(url, NATIVE);
    await refused(client.authorizationCodeGrant(native.config, answer, checks), 'invalid_request');
  });

  await test('the claims parameter puts a claim into the ID token', async () => {
    const { claims } = await app.signsIn(new Person(alice), { claims: JSON.stringify({ id_token: { email: { essential: true } } }) });
    assert.equal(claims.email, alice.email);
  });

  await test('client_credentials: a JWT access token for the API, without ID token or refresh token', async () => {
    const seeded = server.clients.find(({ name }) => name === 'demo-api');
    const service = await RelyingParty.discovers(server.issuer, seeded.client_id, undefined, client.ClientSecretBasic(seeded.client_secret));
    const tokens = await client.clientCredentialsGrant(service.config);
    const [header, payload] = tokens.access_token.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
    assert.equal(header.typ, 'at+jwt');
    assert.deepEqual([payload.aud].flat(), ['https://api.example.com']);
    assert.equal(payload.client_id, seeded.client_id);
    assert.ok(payload.jti && payload.exp && payload.iat && payload.sub);
    assert.equal(tokens.id_token, undefined);
    assert.equal(tokens.refresh_token, undefined);
  });
}

// OIDC Core §3.1.3.6: the left half of the hash that belongs to the ID token's algorithm, here RS256.
function half(token) {
  return createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url');
}

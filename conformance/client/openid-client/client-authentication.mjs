// Client authentication at the token endpoint (OIDC Core §9): each method, and what it must refuse.
import assert from 'node:assert/strict';
import * as jose from 'jose';
import * as client from 'openid-client';
import { test, user } from '../../support/cases.mjs';
import { Person } from '../../support/person.mjs';
import { RelyingParty, refused } from './relying-party.mjs';

const OFFLINE = { scope: 'openid email offline_access', prompt: 'consent' };

export async function clientAuthentication(server) {
  const bob = user(server, 'bob');

  for (const method of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt']) {
    const app = await test(`${method}: code, refresh, introspection, revocation`, async () => {
      const registered = await RelyingParty.registers(server.issuer, { token_endpoint_auth_method: method });
      assert.equal(registered.metadata.token_endpoint_auth_method, method);
      await throughItsLife(registered, bob);
      return registered;
    });
    if (!app) continue;
    await test(`${method}: a wrong secret is invalid_client`, async () => {
      const wrong = client[{ client_secret_basic: 'ClientSecretBasic', client_secret_post: 'ClientSecretPost', client_secret_jwt: 'ClientSecretJwt' }[method]]('x'.repeat(64));
      await refusedEverywhere(app.with({}, wrong), bob);
    });
  }

  await test('a client may use only the method it registered', async () => {
    const app = await RelyingParty.registers(server.issuer, { token_endpoint_auth_method: 'client_secret_basic' });
    await refusedEverywhere(app.with({}, client.ClientSecretPost(app.metadata.client_secret)), bob);
    await refusedEverywhere(app.with({}, client.None()), bob);
  });

  for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA']) {
    await test(`private_key_jwt with ${alg}: code, refresh, introspection, revocation; another key is refused`, async () => {
      const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true });
      const jwks = { keys: [{ ...(await jose.exportJWK(publicKey)), kid: 'k1', alg, use: 'sig' }] };
      // openid-client writes `Ed25519` (RFC 9864) into the header; the algorithm registered here is `EdDSA` (RFC 8037).
      const named = { [client.modifyAssertion]: (header) => { header.alg = alg; } };
      const app = await RelyingParty.registers(
        server.issuer,
        { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg, jwks },
        client.PrivateKeyJwt({ key: privateKey, kid: 'k1' }, named),
      );
      assert.equal(app.metadata.client_secret, undefined);
      await throughItsLife(app, bob);
      const other = await jose.generateKeyPair(alg, { extractable: true });
      await refusedEverywhere(app.with({}, client.PrivateKeyJwt({ key: other.privateKey, kid: 'k1' }, named)), bob);
    });
  }

  await test('a client assertion is good once', async () => {
    const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
    const jwks = { keys: [{ ...(await jose.exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] };
    const app = await RelyingParty.registers(
      server.issuer,
      { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks },
      client.PrivateKeyJwt({ key: privateKey, kid: 'k1' }),
    );
    const same = client.PrivateKeyJwt({ key: privateKey, kid: 'k1' }, { [client.modifyAssertion]: (_, payload) => { payload.jti = 'the-same'; } });
    const repeating = app.with({}, same);
    assert.equal((await repeating.introspects('not-a-token')).active, false);
    await refused(repeating.introspects('not-a-token'), 'invalid_client');
  });
}

async function throughItsLife(app, account) {
  const { tokens } = await app.signsIn(new Person(account), OFFLINE);
  const next = await app.refreshes(tokens.refresh_token);
  assert.equal((await app.introspects(next.access_token)).active, true);
  await app.revokes(next.refresh_token);
  await refused(app.refreshes(next.refresh_token), 'invalid_grant');
}

// A wrong credential stops the app before its code is looked at: the right one can still redeem it.
async function refusedEverywhere(app, account) {
  const { url, checks } = await app.asks();
  const answer = await new Person(account).visits(url, app.redirectUri);
  const error = await refused(client.authorizationCodeGrant(app.config, answer, checks), 'invalid_client');
  assert.ok([400, 401].includes(error.status), `status ${error.status}`);
  await refused(app.introspects('not-a-token'), 'invalid_client');
}

// ID tokens: each signing algorithm a client may register, and pairwise subjects (OIDC Core §8).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as client from 'openid-client';
import { test, user } from '../../support/cases.mjs';
import { Person } from '../../support/person.mjs';
import { NATIVE, RelyingParty } from './relying-party.mjs';

// OIDC Core §3.1.3.6: at_hash takes the hash of the signing algorithm; for Ed25519 that is SHA-512.
const HASHES = { RS256: 'sha256', ES256: 'sha256', PS256: 'sha256', ES384: 'sha384', ES512: 'sha512', EdDSA: 'sha512' };

export async function idTokens(server) {
  const alice = user(server, 'alice');

  for (const [alg, hash] of Object.entries(HASHES)) {
    await test(`id_token_signed_response_alg ${alg}: signature and at_hash`, async () => {
      const app = await RelyingParty.registers(server.issuer, { id_token_signed_response_alg: alg });
      const { tokens, claims } = await app.signsIn(new Person(alice));
      const header = JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url'));
      assert.equal(header.alg, alg);
      assert.ok(header.kid);
      const digest = createHash(hash).update(tokens.access_token).digest();
      assert.equal(claims.at_hash, digest.subarray(0, digest.length / 2).toString('base64url'));
    });
  }

  await test('pairwise: one sub for each sector, stable, and not the public one', async () => {
    const metadata = { subject_type: 'pairwise' };
    const [web, sameHost, native, open] = await Promise.all([
      RelyingParty.registers(server.issuer, metadata),
      RelyingParty.registers(server.issuer, { ...metadata, redirect_uris: ['http://localhost:47112/other'] }),
      RelyingParty.registers(server.issuer, { ...metadata, application_type: 'native', redirect_uris: [NATIVE], token_endpoint_auth_method: 'none' }),
      RelyingParty.registers(server.issuer),
    ]);
    const subs = [];
    for (const app of [web, web, sameHost, native, open]) {
      const { tokens, claims } = await app.signsIn(new Person(alice));
      const info = await client.fetchUserInfo(app.config, tokens.access_token, claims.sub);
      assert.equal(info.sub, claims.sub);
      subs.push(claims.sub);
    }
    assert.equal(subs[0], subs[1], 'not stable');
    assert.equal(subs[0], subs[2], 'two clients of one host are one sector');
    assert.equal(new Set(subs).size, 3, 'another host and the public sub differ');
  });

  await test('pairwise subs of two people differ', async () => {
    const app = await RelyingParty.registers(server.issuer, { subject_type: 'pairwise' });
    const [one, two] = [await app.signsIn(new Person(alice)), await app.signsIn(new Person(user(server, 'bob')))];
    assert.notEqual(one.claims.sub, two.claims.sub);
  });
}

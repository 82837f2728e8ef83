// Refresh tokens: rotation in families, the honest retry, and reuse (RFC 9700 §4.14).
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, user } from '../../support/cases.mjs';
import { Person } from '../../support/person.mjs';
import { RelyingParty, refused } from './relying-party.mjs';

// A retry within this many seconds of the first use is honest: a phone may have lost the answer.
const GRACE = 10;
const OFFLINE = { scope: 'openid profile email offline_access', prompt: 'consent' };

export async function refresh(server) {
  const alice = user(server, 'alice');
  const app = await RelyingParty.registers(server.issuer);

  const first = await test('offline_access gives a refresh token, and using it rotates it', async () => {
    const { tokens, claims } = await app.signsIn(new Person(alice), OFFLINE);
    assert.ok(tokens.refresh_token, 'no refresh token');
    const next = await app.refreshes(tokens.refresh_token);
    assert.ok(next.refresh_token && next.refresh_token !== tokens.refresh_token, 'was not rotated');
    assert.notEqual(next.access_token, tokens.access_token);
    const again = next.claims();
    if (again) assert.deepEqual([again.iss, again.sub, again.auth_time], [claims.iss, claims.sub, claims.auth_time]);
    return { old: tokens.refresh_token, next: next.refresh_token };
  });
  if (!first) return;

  await test('without offline_access there is no refresh token', async () => {
    const { tokens } = await app.signsIn(new Person(alice));
    assert.equal(tokens.refresh_token, undefined);
  });

  await test('an honest retry gets the same successor', async () => {
    const { tokens } = await app.signsIn(new Person(alice), OFFLINE);
    const next = await app.refreshes(tokens.refresh_token);
    const retried = await app.refreshes(tokens.refresh_token);
    assert.equal(retried.refresh_token, next.refresh_token);
  });

  await test('scope may narrow at a refresh, never widen', async () => {
    const { tokens } = await app.signsIn(new Person(alice), { scope: 'openid email offline_access', prompt: 'consent' });
    const narrow = await app.refreshes(tokens.refresh_token, { scope: 'openid' });
    assert.ok(!(narrow.scope ?? 'openid').split(' ').includes('email'), `scope ${narrow.scope}`);
    await refused(app.refreshes(narrow.refresh_token, { scope: 'openid profile' }), 'invalid_scope');
  });

  await test('a refresh token of another client is refused', async () => {
    const { tokens } = await app.signsIn(new Person(alice), OFFLINE);
    const other = await RelyingParty.registers(server.issuer);
    await refused(other.refreshes(tokens.refresh_token), 'invalid_grant');
  });

  await test('revocation of a refresh token ends its grant', async () => {
    const { tokens } = await app.signsIn(new Person(alice), OFFLINE);
    await app.revokes(tokens.refresh_token);
    await refused(app.refreshes(tokens.refresh_token), 'invalid_grant');
    assert.equal((await app.introspects(tokens.refresh_token)).active, false);
    assert.equal((await app.introspects(tokens.access_token)).active, false);
  });

  await test('reuse after the grace is refused and revokes the whole family', async () => {
    await sleep((GRACE + 2) * 1000);
    await refused(app.refreshes(first.old), 'invalid_grant');
    await refused(app.refreshes(first.next), 'invalid_grant');
  });
}

// Groups, roles and permissions in tokens, and a scope for members only: a member, somebody else, and the member once she has left.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import * as jose from 'jose';
import * as client from 'openid-client';
import { test, user } from '../../support/cases.mjs';
import { Person } from '../../support/person.mjs';
import { RelyingParty, WEB } from './relying-party.mjs';

const SCOPE = 'openid offline_access groups roles permissions orders:write';

export async function groups(server) {
  const { SYMBOLON_PROGRAM: program, SYMBOLON_DATA: data } = process.env;
  // Only an operator makes groups: without the program and the data folder of the server there is nobody to ask.
  if (!program || !data) return console.log('skip groups: SYMBOLON_PROGRAM and SYMBOLON_DATA are not set');
  const operates = (...words) => {
    const settings = {
      SYMBOLON__ISSUER: server.issuer,
      SYMBOLON__DATABASE__PATH: `${data}/symbolon.db`,
      SYMBOLON__KEYS__MASTER_KEY_FILE: `${data}/master.key`,
    };
    return JSON.parse(execFileSync(program, [...words, '--json'], { encoding: 'utf8', env: { ...process.env, ...settings } }));
  };

  const app = await test('an operator keeps a scope for a group, and registers an app for it', async () => {
    operates('group', 'create', 'staff');
    operates('group', 'create', 'buyers', '--within', 'staff');
    operates('group', 'add', 'staff/buyers', 'alice');
    operates('scope', 'create', 'Buying', '--group', 'staff/buyers', 'orders:write');
    operates('role', 'create', 'editor');
    operates('role', 'give', 'editor', '--group', 'staff');
    operates('permission', 'create', 'shop:orders:read');
    operates('permission', 'give', 'shop:orders:read', '--role', 'editor');
    const made = operates('client', 'create', 'Groups', '--scope', SCOPE, '--redirect-uri', WEB, '--development');
    const secret = client.ClientSecretBasic(made.client_secret);
    return RelyingParty.discovers(server.issuer, made.client_id, { client_secret: made.client_secret }, secret);
  });
  if (!app) return;

  // ID token, access token, userinfo and introspection, all four.
  const told = async ({ id_token, access_token }) => {
    const sub = jose.decodeJwt(id_token).sub;
    const [userinfo, introspection] = await Promise.all([client.fetchUserInfo(app.config, access_token, sub), app.introspects(access_token)]);
    return [jose.decodeJwt(id_token), jose.decodeJwt(access_token), userinfo, introspection];
  };
  const member = { groups: ['/staff', '/staff/buyers'], roles: ['editor'], permissions: ['shop:orders:read'] };
  const nobody = { groups: [], roles: [], permissions: [] };
  const says = (claims, expected) => assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, claims[name]])), expected);

  const tokens = await test('a member gets the scope, and all four tell of the groups', async () => {
    const { tokens } = await app.signsIn(new Person(user(server, 'alice')), { scope: SCOPE });
    assert.equal(tokens.scope, SCOPE);
    for (const claims of await told(tokens)) says(claims, member);
    return tokens;
  });
  await test('who is no member does not get it', async () => {
    const { tokens } = await app.signsIn(new Person(user(server, 'bob')), { scope: SCOPE });
    assert.equal(tokens.scope, SCOPE.replace(' orders:write', ''));
    for (const claims of await told(tokens)) says(claims, nobody);
  });
  if (!tokens) return;
  await test('a member who leaves loses it with the next refresh, and introspection knows at once', async () => {
    operates('group', 'remove', 'staff/buyers', 'alice');
    await pause(1000);
    const introspection = await app.introspects(tokens.access_token);
    assert.equal(introspection.scope, SCOPE.replace(' orders:write', ''));
    says(introspection, nobody);
    const next = await app.refreshes(tokens.refresh_token);
    assert.equal(next.scope, SCOPE.replace(' orders:write', ''));
    for (const claims of await told(next)) says(claims, nobody);
  });
}

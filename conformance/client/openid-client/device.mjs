// A device without a browser (RFC 8628): openid-client polls while a person decides on pages elsewhere.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import * as client from 'openid-client';
import { test, user } from '../../support/cases.mjs';
import { Person } from '../../support/person.mjs';
import { hasId, text } from '../../support/html.mjs';
import { RelyingParty, refused } from './relying-party.mjs';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

export async function device(server) {
  const tv = await test('an app without a browser registers for the device grant', () => RelyingParty.registers(server.issuer, {
    client_name: 'A television',
    application_type: 'native',
    redirect_uris: [],
    response_types: [],
    grant_types: [GRANT, 'refresh_token'],
    token_endpoint_auth_method: 'none',
  }));
  if (!tv) return;
  const begins = () => client.initiateDeviceAuthorization(tv.config, { scope: 'openid email offline_access' });
  const polls = (codes) => client.pollDeviceAuthorizationGrant(tv.config, codes);
  const asks = (codes) => client.genericGrantRequest(tv.config, GRANT, { device_code: codes.device_code });

  // A person follows the link in the picture, signs in, looks, and presses a button.
  const decides = async (codes, button, person = new Person(user(server, 'alice'))) => {
    let page = await person.opens(codes.verification_uri_complete);
    if (hasId(page.html, 'password')) {
      page = await person.submits(page, 'login-submit', { login: person.account.username, password: person.account.password });
    }
    assert.ok(text(page.html).includes(codes.user_code), `the page does not show the code: ${text(page.html).slice(0, 300)}`);
    assert.ok(hasId(page.html, 'self-registered'), 'the page does not say that nobody vouches for the app');
    return person.submits(page, button);
  };

  await test('the two codes are those of the specification', async () => {
    const codes = await begins();
    assert.equal(codes.verification_uri, `${server.issuer}/device`);
    assert.equal(codes.verification_uri_complete, `${server.issuer}/device?user_code=${codes.user_code}`);
    assert.match(codes.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    assert.deepEqual([codes.expires_in, codes.interval], [600, 5]);
    await refused(asks(codes), 'authorization_pending');
    await refused(asks(codes), 'slow_down');
  });

  await test('tokens come once the person has said yes, with amr and acr of their sign-in', async () => {
    const codes = await begins();
    const polling = polls(codes);
    const done = await decides(codes, 'device-accept');
    assert.ok(hasId(done.html, 'device-approved'), text(done.html).slice(0, 300));
    const tokens = await polling;
    const claims = tokens.claims();
    assert.deepEqual([claims.amr, claims.acr], [['pwd'], 'urn:symbolon:acr:1']);
    assert.ok(claims.auth_time <= claims.iat);
    const { email } = await client.fetchUserInfo(tv.config, tokens.access_token, claims.sub);
    assert.equal(email, user(server, 'alice').email);
    assert.ok((await tv.refreshes(tokens.refresh_token)).access_token);
    await pause(codes.interval * 1000);
    await refused(asks(codes), 'invalid_grant');
  });

  await test('no is access_denied', async () => {
    const codes = await begins();
    const polling = refused(polls(codes), 'access_denied');
    await decides(codes, 'device-deny');
    await polling;
  });

  await test('the code is typed by hand, and a link alone decides nothing', async () => {
    const codes = await begins();
    const person = new Person(user(server, 'bob'));
    let page = await person.opens(codes.verification_uri);
    page = await person.submits(page, 'login-submit', { login: person.account.username, password: person.account.password });
    page = await person.submits(page, 'device-submit', { 'user-code': codes.user_code.toLowerCase().replace('-', '') });
    await person.opens(codes.verification_uri_complete);
    await refused(asks(codes), 'authorization_pending');
    const done = await person.submits(page, 'device-accept');
    assert.ok(hasId(done.html, 'device-approved'), text(done.html).slice(0, 300));
    assert.ok((await polls(codes)).id_token);
  });
}

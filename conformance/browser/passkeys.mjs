// Passkeys with the browser's own virtual authenticator: added in the account, by the button, and offered in the field.
import assert from 'node:assert/strict';
import { test, user } from '../support/cases.mjs';
import { onward, signsIn } from './visitor.mjs';

/** A device that recognises its owner, and is touched whenever it asks as long as `touched` says so. */
async function device(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable', { enableUI: false });
  const options = {
    protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal',
    hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options });
  return {
    touched: (enabled) => session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    keys: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
  };
}

export async function passkeys(browser, server, app) {
  const alice = user(server, 'alice');
  const context = await browser.newContext();
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const here = await device(page);
  const outcome = () => page.locator('#outcome').innerText();
  const signsOut = async () => {
    await page.goto(app.metadata.end_session_endpoint);
    await onward(page, () => page.locator('#logout-confirm').click());
  };
  try {
    await test('passkey: added in the account', async () => {
      await page.goto(`${server.issuer}/sign-in?to=account/security`);
      await here.touched(false);
      await onward(page, () => signsIn(page, alice));
      await here.touched(true);
      await onward(page, () => page.locator('#passkey-submit').click());
      const keys = await here.keys();
      assert.equal(keys.length, 1);
      assert.ok(keys[0].isResidentCredential);
      await page.locator(`section[aria-labelledby=passkeys-title] .row`).waitFor();
    });

    await test('passkey: signs in by the button', async () => {
      await signsOut();
      await here.touched(false);
      await page.goto(app.start('button', { prompt: 'consent' }));
      await page.locator('#passkey-submit').waitFor();
      await here.touched(true);
      await onward(page, () => page.locator('#passkey-submit').click());
      await onward(page, () => page.locator('#consent-accept').click());
      assert.equal(await outcome(), `button: signed in as ${alice.email}`);
      // The key is of the device, and its owner was recognised there: two factors.
      assert.deepEqual(app.proof, { acr: 'urn:symbolon:acr:2', amr: ['hwk', 'user'] });
    });

    await test('passkey: offered in the field', async () => {
      await signsOut();
      await here.touched(false);
      await page.goto(app.start('field', { prompt: 'consent' }));
      assert.equal(await page.locator('#login').getAttribute('autocomplete'), 'username webauthn');
      // A device that is touched at once answers what the field offers, so that the page goes on by itself.
      await here.touched(true);
      await page.goto(app.start('field', { prompt: 'consent', acr_values: 'phr' }), { waitUntil: 'commit' });
      await page.locator('#consent-accept').waitFor();
      await onward(page, () => page.locator('#consent-accept').click());
      assert.equal(await outcome(), `field: signed in as ${alice.email}`);
      // No other site can ask for it: that is told where an app asks for it (OpenID Connect EAP ACR Values §2).
      assert.deepEqual(app.proof, { acr: 'phr', amr: ['hwk', 'user'] });
    });
  } finally {
    await context.close();
  }
}

// People who sign in and apps that redeem, refresh, verify and revoke, without a pause; every answer is judged.
import * as client from 'openid-client';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Person } from '../support/person.mjs';
import { RelyingParty } from '../client/openid-client/relying-party.mjs';

/** What the load came to. An interrupted flow began again from its start; a wrong answer must never be. */
export class Counts {
  flows = 0;
  requests = 0;
  interrupted = 0;
  wrong = [];
  #reasons = new Map();

  interruptedBy(stage, error) {
    this.interrupted += 1;
    const reason = `${stage}: ${describe(error)}`;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  /** What interrupted flows since this was asked last, and how often. */
  reasons() {
    const told = [...this.#reasons].map(([reason, count]) => `   ${count} × ${reason.slice(0, 160)}`).join('\n');
    this.#reasons.clear();
    return told;
  }

  since(before) {
    return { flows: this.flows - before.flows, interrupted: this.interrupted - before.interrupted, wrong: this.wrong.slice(before.wrong.length) };
  }

  copy() {
    return { flows: this.flows, interrupted: this.interrupted, wrong: [...this.wrong] };
  }
}

/** Codes and tokens that were used up or taken back; none may ever be good again. */
export class Used {
  codes = [];
  refreshTokens = [];
  revoked = [];
}

/** Nobody answered, or the server said that it cannot at this moment: what a client takes for a reason to try again. */
function isInterruption(error) {
  for (let at = error; at; at = at.cause) {
    const status = at.status ?? at.response?.status ?? (at instanceof Response ? at.status : undefined);
    if (status === 502 || status === 503 || status === 504) return true;
    if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(at.code)) return true;
    if (at.error === 'temporarily_unavailable') return true;
    if (/socket hang up|fetch failed|\((502|503|504)\)/.test(at.message ?? '')) return true;
    // A request under way that Redis lost: the page says so, and offers the way back to the app.
    if (/\((400|410)\).*(expired|no longer|start again|begin again)/is.test(at.message ?? '')) return true;
  }
  return false;
}

let visitors = 0;

/** Everybody calls from an address of their own, so that the limits for one address see what they see in the world. */
function address() {
  visitors += 1;
  return `127.${1 + ((visitors >> 16) & 127)}.${(visitors >> 8) & 255}.${visitors & 255}`;
}

/** Flows one after the other until `load.ends`. */
export async function signsIn(load, account) {
  while (!load.ends) {
    const party = new RelyingParty(load.config, load.redirectUri);
    let stage = 'sign-in';
    let uncertain = false;
    try {
      const person = new Person(account, { address: address() });
      const { url, checks } = await party.asks({ scope: 'openid offline_access', prompt: 'consent' });
      const answer = await person.visits(url, load.redirectUri);
      stage = 'redemption';
      uncertain = true;
      const tokens = await client.authorizationCodeGrant(load.config, answer, checks);
      uncertain = false;
      load.used.codes.push({ answer, checks });
      stage = 'verification';
      await jwtVerify(tokens.access_token, load.keys, { issuer: load.issuer, typ: 'at+jwt' });
      stage = 'refresh';
      const next = await client.refreshTokenGrant(load.config, tokens.refresh_token);
      stage = 'introspection';
      const told = await client.tokenIntrospection(load.config, next.access_token);
      if (told.active !== true) throw new Error(`a token that was just given is inactive`);
      if (load.counts.flows % 3 === 0) {
        stage = 'revocation';
        await client.tokenRevocation(load.config, next.refresh_token);
        load.used.revoked.push({ token: next.access_token, at: Date.now() });
        load.used.refreshTokens.push(next.refresh_token);
      }
      load.counts.flows += 1;
    } catch (error) {
      // A code whose redemption nobody answered may be used up.
      if (isInterruption(error)) load.counts.interruptedBy(stage, error);
      else load.counts.wrong.push(`${stage}${uncertain ? '' : ' (sure)'}: ${describe(error)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

export function describe(error) {
  return [error.message, error.error, error.error_description, error.cause?.message].filter(Boolean).join(' · ').replace(/\?\S+/g, '').slice(0, 400);
}

/** Tokens for a service, verified by an app that keeps the JWKS, so many a second; gives how many of each there were. */
export async function verifies(load, perSecond, seconds) {
  const counts = { tokens: 0, introspections: 0, failed: [], kids: new Set() };
  const keys = createRemoteJWKSet(new URL(`${load.issuer}/oauth2/jwks`), { cooldownDuration: 3_600_000, cacheMaxAge: 3_600_000 });
  const began = Date.now();
  const pending = new Set();
  let asked = 0;
  let last;
  while (Date.now() - began < seconds * 1000) {
    const due = Math.floor(((Date.now() - began) / 1000) * perSecond);
    while (asked < due && pending.size < 64) {
      asked += 1;
      const one = (async () => {
        if (asked % 5 === 0 || !last) {
          const answer = await client.clientCredentialsGrant(load.service);
          const { protectedHeader } = await jwtVerify(answer.access_token, keys, { issuer: load.issuer, typ: 'at+jwt' });
          counts.kids.add(protectedHeader.kid);
          counts.tokens += 1;
          last = answer.access_token;
        } else {
          const told = await client.tokenIntrospection(load.service, last);
          if (told.active !== true) throw new Error('a good token is inactive');
          counts.introspections += 1;
        }
      })().catch((error) => counts.failed.push(describe(error))).finally(() => pending.delete(one));
      pending.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(pending);
  counts.rate = Math.round((counts.tokens + counts.introspections) / ((Date.now() - began) / 1000));
  return counts;
}

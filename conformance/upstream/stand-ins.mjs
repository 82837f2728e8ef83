// Google and Apple as their documents describe them, on loopback: paths, parameters, token shapes, and what Apple does otherwise.
// "OpenID Connect" (developers.google.com), "Sign in with Apple REST API": form_post, a client secret that is a JWT, the name once.
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { createServer } from 'node:http';

export const CLIENT_ID = 'symbolon-there';
export const SECRET = 'GOCSPX-a secret of ours';
export const TEAM_ID = 'DEF123GHIJ';
export const KEY_ID = 'ABC123DEFG';

const encoded = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const escaped = (text) => String(text).replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** Starts a provider in the manner of `google` or `apple`, where `person` (claims of the ID token) is signed in. */
export async function standIn(manner, port, person) {
  const provider = new Provider(manner, `http://127.0.0.1:${port}`, person);
  const server = createServer((request, response) => provider.answers(request, response).catch((error) => {
    response.writeHead(500).end(String(error.stack));
  }));
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  provider.close = () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); });
  return provider;
}

const PATHS = {
  google: { authorization: '/o/oauth2/v2/auth', token: '/token', keys: '/oauth2/v3/certs' },
  apple: { authorization: '/auth/authorize', token: '/auth/token', keys: '/auth/keys' },
};

class Provider {
  constructor(manner, issuer, person) {
    Object.assign(this, { manner, issuer, person, codes: new Map(), isNew: true, paths: PATHS[manner] });
    this.keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.account = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  }

  /** Our secret there: Apple's is the .p8 file of the developer account. */
  get secret() {
    return this.manner === 'apple' ? this.account.privateKey.export({ type: 'pkcs8', format: 'pem' }) : SECRET;
  }

  async answers(request, response) {
    const url = new URL(request.url, this.issuer);
    const json = (status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return json(200, {
          issuer: this.issuer,
          authorization_endpoint: this.issuer + this.paths.authorization,
          token_endpoint: this.issuer + this.paths.token,
          jwks_uri: this.issuer + this.paths.keys,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['RS256'],
          token_endpoint_auth_methods_supported: this.manner === 'apple' ? ['client_secret_post'] : ['client_secret_post', 'client_secret_basic'],
        });
      case this.paths.keys:
        return json(200, { keys: [{ ...this.keys.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' }] });
      case this.paths.authorization:
        return this.asks(url.searchParams, response);
      case this.paths.token: {
        const [status, body] = this.redeems(request, new URLSearchParams(await text(request)));
        return json(status, body);
      }
      default:
        return json(404, { error: 'not found' });
    }
  }

  /** The page on which a person agrees. */
  asks(sent, response) {
    const wrong = this.complains(sent);
    if (wrong) return response.writeHead(400, { 'content-type': 'text/plain' }).end(`Error 400: ${wrong}`);
    const code = randomBytes(24).toString('base64url');
    this.codes.set(code, { nonce: sent.get('nonce'), challenge: sent.get('code_challenge'), redirectUri: sent.get('redirect_uri') });
    const answer = { state: sent.get('state'), code };
    if (this.manner === 'apple' && this.isNew) {
      answer.user = JSON.stringify({ name: { firstName: this.person.firstName, lastName: this.person.lastName }, email: this.person.email });
      this.isNew = false;
    }
    const fields = Object.entries(answer).map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`).join('');
    const method = this.manner === 'apple' ? 'post' : 'get';
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html><html lang="en"><title>Sign in</title>
      <form method="${method}" action="${escaped(sent.get('redirect_uri'))}">${fields}<button id="continue">Continue as ${escaped(this.person.email)}</button></form></html>`);
  }

  complains(sent) {
    if (sent.get('response_type') !== 'code') return 'response_type';
    if (sent.get('client_id') !== CLIENT_ID) return 'invalid_client';
    if (!sent.get('scope')?.split(' ').includes('openid')) return 'scope';
    if (!sent.get('state') || !sent.get('nonce')) return 'state and nonce';
    if (sent.get('code_challenge_method') !== 'S256') return 'PKCE';
    // Apple gives name and email in no other way.
    if (this.manner === 'apple' && sent.get('response_mode') !== 'form_post') return 'invalid_request: response_mode must be form_post when name or email scope is requested';
    return undefined;
  }

  redeems(request, form) {
    const basic = request.headers.authorization?.startsWith('Basic ') && Buffer.from(request.headers.authorization.slice(6), 'base64').toString();
    const [id, secret] = basic ? basic.split(':').map((part) => decodeURIComponent(part.replace(/\+/g, ' '))) : [form.get('client_id'), form.get('client_secret')];
    if (id !== CLIENT_ID || !this.isOurs(secret)) return [401, { error: 'invalid_client' }];
    const waiting = this.codes.get(form.get('code'));
    this.codes.delete(form.get('code'));
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    if (!waiting || waiting.redirectUri !== form.get('redirect_uri') || waiting.challenge !== challenge) return [400, { error: 'invalid_grant' }];
    const now = Math.floor(Date.now() / 1000);
    const { firstName, lastName, ...claims } = this.person;
    const names = this.manner === 'apple' ? {} : { name: `${firstName} ${lastName}`, given_name: firstName, family_name: lastName };
    const payload = { iss: this.issuer, aud: CLIENT_ID, iat: now, exp: now + 3600, nonce: waiting.nonce, ...claims, ...names };
    const input = `${encoded({ alg: 'RS256', kid: 'k1' })}.${encoded(payload)}`;
    const signature = sign('RSA-SHA256', Buffer.from(input), this.keys.privateKey).toString('base64url');
    return [200, { access_token: randomBytes(16).toString('hex'), token_type: 'Bearer', expires_in: 3600, id_token: `${input}.${signature}` }];
  }

  /** "Creating a client secret": an ES256 JWT by the key with this id, of this team, about us, for Apple, for at most six months. */
  isOurs(secret) {
    if (this.manner !== 'apple') return secret === SECRET;
    const [header, payload, signature] = String(secret).split('.');
    if (!signature) return false;
    const key = { key: createPublicKey(this.account.privateKey), dsaEncoding: 'ieee-p1363' };
    if (!verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))) return false;
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url'));
    const claims = JSON.parse(Buffer.from(payload, 'base64url'));
    const lifetime = claims.exp - Math.floor(Date.now() / 1000);
    return alg === 'ES256' && kid === KEY_ID && claims.iss === TEAM_ID && claims.sub === CLIENT_ID
      && claims.aud === 'https://appleid.apple.com' && lifetime > 0 && lifetime <= 15_777_000;
  }
}

async function text(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

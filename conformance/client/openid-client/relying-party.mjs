// An app that registers itself (RFC 7591) and signs people in through openid-client.
import * as client from 'openid-client';

/** The loopback redirect of a native app; nothing has to listen, the person stops there. */
export const NATIVE = 'http://127.0.0.1:47111/cb';
/** The redirect of a web app on the development machine. */
export const WEB = 'http://localhost:47112/cb';
export const SIGNED_OUT = 'http://localhost:47112/signed-out';

const METHODS = {
  none: () => client.None(),
  client_secret_basic: (secret) => client.ClientSecretBasic(secret),
  client_secret_post: (secret) => client.ClientSecretPost(secret),
  client_secret_jwt: (secret) => client.ClientSecretJwt(secret),
};

export class RelyingParty {
  /** Registers a web app with code and refresh token; `metadata` overrides. `privateKeyJwt` authenticates a client of that method. */
  static async registers(issuer, metadata = {}, privateKeyJwt) {
    const registration = {
      client_name: 'A bookshop',
      application_type: 'web',
      redirect_uris: [WEB],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'openid profile email offline_access',
      ...metadata,
    };
    const authentication = (secret) => privateKeyJwt ?? METHODS[registration.token_endpoint_auth_method](secret);
    const config = await client.dynamicClientRegistration(new URL(issuer), registration, (as, c, body, headers) => authentication(c.client_secret)(as, c, body, headers), {
      execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    });
    return new RelyingParty(config, registration.redirect_uris[0]);
  }

  /** A client that exists, by its id; `authentication` is openid-client's. */
  static async discovers(issuer, clientId, metadata, authentication) {
    const config = await client.discovery(new URL(issuer), clientId, metadata, authentication, {
      execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    });
    return new RelyingParty(config, WEB);
  }

  constructor(config, redirectUri) {
    this.config = config;
    this.redirectUri = redirectUri;
  }

  get metadata() {
    return this.config.clientMetadata();
  }

  /** The same client as openid-client would hold it with another credential. */
  with(metadata, authentication) {
    const config = new client.Configuration(this.config.serverMetadata(), this.metadata.client_id, { ...this.metadata, ...metadata }, authentication);
    client.allowInsecureRequests(config);
    client.enableNonRepudiationChecks(config);
    return new RelyingParty(config, this.redirectUri);
  }

  /** Builds an authorization request with PKCE, state and nonce; gives it with what checks its answer. */
  async asks(parameters = {}) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedNonce = client.randomNonce();
    const expectedState = client.randomState();
    const url = client.buildAuthorizationUrl(this.config, {
      redirect_uri: this.redirectUri,
      scope: 'openid profile email',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      nonce: expectedNonce,
      state: expectedState,
      ...parameters,
    });
    const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true };
    if (parameters.max_age !== undefined) checks.maxAge = Number(parameters.max_age);
    return { url, checks };
  }

  /** The whole code flow: the person signs in, the app redeems the code. Gives the tokens and the answer it redeemed. */
  async signsIn(person, parameters = {}) {
    const { url, checks } = await this.asks(parameters);
    const answer = await person.visits(url, this.redirectUri);
    const tokens = await client.authorizationCodeGrant(this.config, answer instanceof Request ? answer.clone() : answer, checks);
    return { tokens, claims: tokens.claims(), answer, checks };
  }

  refreshes(refreshToken, parameters) {
    return client.refreshTokenGrant(this.config, refreshToken, parameters);
  }

  introspects(token) {
    return client.tokenIntrospection(this.config, token);
  }

  revokes(token) {
    return client.tokenRevocation(this.config, token);
  }
}

/** Asserts that a call is refused with this OAuth error code; gives the error, with its `status`. */
export async function refused(promise, code) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    // A 401 with WWW-Authenticate arrives as a challenge; the OAuth error stands in its body or in the challenge.
    const said = error.error ?? (await error.response?.clone().json().catch(() => undefined))?.error ?? error.cause?.[0]?.parameters?.error;
    if (said === code) return error;
    throw said ? new Error(`expected ${code}, was ${said}`, { cause: error }) : error;
  }
  throw new Error(`expected ${code}, was accepted: ${JSON.stringify(value)?.slice(0, 300)}`);
}

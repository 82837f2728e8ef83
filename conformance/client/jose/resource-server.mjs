// A resource server (RFC 6750, RFC 9068): it knows the issuer and its own audience, and verifies with jose by JWKS.
import { createServer } from 'node:http';
import * as jose from 'jose';

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA', 'PS256', 'ES384', 'ES512'];

/** Starts one on a loopback port of its own; `ahead` is how many seconds its clock is ahead. Gives its URL. */
export async function resourceServer(issuer, audience, ahead = 0) {
  const metadata = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
  if (metadata.issuer !== issuer) throw new Error(`metadata of ${metadata.issuer}`);
  const keys = jose.createRemoteJWKSet(new URL(metadata.jwks_uri));
  const server = createServer(async (request, response) => {
    const answers = (status, body, challenge) => {
      response.writeHead(status, { 'content-type': 'application/json', ...(challenge && { 'www-authenticate': challenge }) });
      response.end(JSON.stringify(body));
    };
    const [scheme, token] = (request.headers.authorization ?? '').split(' ');
    if (scheme.toLowerCase() !== 'bearer') return answers(401, {}, 'Bearer');
    try {
      const { payload } = await jose.jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        typ: 'at+jwt',
        requiredClaims: ['exp', 'sub', 'client_id', 'iat', 'jti'],
        currentDate: new Date(Date.now() + ahead * 1000),
      });
      return answers(200, payload);
    } catch (error) {
      return answers(401, { why: error.code ?? error.message }, 'Bearer error="invalid_token"');
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return `http://127.0.0.1:${server.address().port}/orders`;
}

// oidc-provider as an issuer that somebody else runs: PKCE demanded, claims by UserInfo, `iss` in its responses. Whoever comes is Nora.
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

export const FOREIGN = { client_id: 'symbolon', client_secret: 'a secret of ours: + and / and =' };

/** Starts the issuer at `port`; people come back to `callback`. */
export async function foreign(port, callback) {
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [{ ...FOREIGN, redirect_uris: [callback], response_types: ['code'], grant_types: ['authorization_code'] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: 'nora@example.org', email_verified: true, name: 'Nora Node', given_name: 'Nora', family_name: 'Node' }),
    }),
  });
  const callbackOf = provider.callback();
  const server = createServer(async (request, response) => {
    try {
      if (request.url.startsWith('/interaction/')) await agrees(provider, request, response);
      else callbackOf(request, response);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { issuer, close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) };
}

async function agrees(provider, request, response) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: 'nora-0815' } });
    return;
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  const grantId = await grant.save();
  await provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
}

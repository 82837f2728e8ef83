// The app's own web server: three files, the settings of the registered client, and a second origin for the CORS cases.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';

const read = (path) => readFileSync(new URL(path, import.meta.url));
const FILES = {
  '/app.js': ['text/javascript', read('app.js')],
  '/oidc-client-ts.js': ['text/javascript', read('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js')],
};
const INDEX = read('index.html');

/** Listens on a free loopback port; `settings` can be set once the client is registered. Gives the server with its `origin`. */
export async function staticServer() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, server.origin);
    const [type, body] = pathname === '/settings.json' ? ['application/json', JSON.stringify(server.settings ?? {})] : (FILES[pathname] ?? ['text/html; charset=utf-8', INDEX]);
    response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store', 'content-security-policy': "script-src 'self'" });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.origin = `http://localhost:${server.address().port}`;
  return server;
}

"""A site of the app on this machine, where the provider fetches documents (keys, redirect URIs, request objects) and tells of logouts."""

import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Listener:
    """Serves `documents`: path to (content type, text). `asked` counts fetches by path; `posted` holds forms with their paths."""

    def __init__(self):
        documents, asked = self.documents, self.asked = {}, {}
        posted = self.posted = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked[self.path] = asked.get(self.path, 0) + 1
                kind, text = documents.get(self.path, ("text/plain", None))
                self.send_response(404 if text is None else 200)
                self.send_header("Content-Type", kind)
                self.end_headers()
                self.wfile.write((text or "").encode())

            def do_POST(self):
                text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
                posted.append((self.path, self.headers.get_content_type(), urllib.parse.parse_qsl(text)))
                self.send_response(200)
                self.send_header("Cache-Control", "no-store")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def serves(self, path, text, kind="application/json"):
        """Puts a document under a path; its URL."""
        self.documents[path] = (kind, text)
        return f"{self.url}{path}"

"""Somebody who uses the portal: a session with its cookie and its CSRF token."""
import http.client
import json
import ssl


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.raw = answer.status, answer.headers, answer.read()
        self.body = self.raw.decode(errors="replace")

    @property
    def json(self):
        try:
            return json.loads(self.raw)
        except ValueError:
            raise AssertionError(f"not JSON ({self.status}): {self.body[:500]}") from None

    def __repr__(self):
        return f"{self.status} {self.body[:300]}"


class Visitor:
    """Asks as a browser does. `where` gives (host, port) anew for each request, so that it outlives a
    restart; `source` is the address it comes from."""

    KNOWN = "lamp on the water 7"  # what a first password is changed to

    def __init__(self, where, source=None, token=None, tls=None, timeout=10):
        self.where, self.source, self.token, self.tls, self.timeout = where, source, token, tls, timeout
        self.cookie = self.csrf = self.session = None

    def ask(self, method, path, body=None, headers=None):
        host, port = self.where()
        source = (self.source, 0) if self.source else None
        if self.tls is None:
            connection = http.client.HTTPConnection(host, port, timeout=self.timeout, source_address=source)
        else:
            connection = http.client.HTTPSConnection(host, port, timeout=self.timeout, source_address=source, context=self.tls)
        fields = dict(self.fields(method), **(headers or {}))
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body=body, headers=fields)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def fields(self, method="GET"):
        """The header fields that say who asks."""
        fields = {}
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        if self.cookie:
            fields["Cookie"] = self.cookie
        if self.csrf and method != "GET":
            fields["X-CSRF-Token"] = self.csrf
        return fields

    def get(self, path, **headers):
        return self.ask("GET", path, headers=headers)

    def post(self, path, body=None, **headers):
        return self.ask("POST", path, {} if body is None else body, headers)

    def delete(self, path, **headers):
        return self.ask("DELETE", path, headers=headers)

    def log_in(self, user, password):
        """POST /api/login; what it answered. The cookie and the token are kept."""
        answer = self.post("/api/login", {"username": user, "password": password})
        if answer.status == 200:
            self.session = answer.json
            self.csrf = self.session["csrf_token"]
            self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return answer

    def come_in(self, user, password):
        """Logs in and changes a first password to the known one."""
        answer = self.log_in(user, password)
        assert answer.status == 200, answer
        if self.session["must_change_password"]:
            changed = self.post("/api/password", {"old": password, "new": self.KNOWN})
            assert changed.status == 204, changed
            self.session = self.get("/api/session").json
            self.csrf = self.session["csrf_token"]
        return self


def unchecked_tls():
    """For a certificate that signs itself."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

"""The API is what it says of itself: the routes, the answers, the refusals; and nonsense hurts nobody.

LIGHTSHIP_API_REQUESTS says how many random requests are sent (500), LIGHTSHIP_API_SEED which ones.
"""
import http.client
import json
import os
import pathlib
import random
import shutil
import tempfile
import time

from support import Process, TestCase, eventually
from support.openapi import Description
from support.portal import Visitor
from support.program import clean_environment, lightship_binary

REQUESTS = int(os.environ.get("LIGHTSHIP_API_REQUESTS", "500"))
SEED = int(os.environ.get("LIGHTSHIP_API_SEED", "4"))
# Described, and not built yet. Who builds one takes it from here; the test fails until that is done.
TO_COME = set()
# There, and not yet of the shape that is described.
OLD_SHAPE = set()
PASSWORD = {"operator": "operator of the day", "viewer": "only looking here"}


class Site:
    """The demo with one user of each role, and its description."""

    def __init__(self, folder):
        self.process = Process([lightship_binary(), "demo", "--data", folder / "data", "--portal-port", 0, "--gateway-port", 0,
                                "--mqtt-port", 0], name="demo", env=clean_environment()).start()
        port = int(self.process.wait_for_line(r"^portal http://127\.0\.0\.1:(\d+)$", 30)[1])
        first = self.process.wait_for_line(r"^login admin (\S+)$", 30)[1]
        self.where = lambda: ("127.0.0.1", port)
        self.who = {"admin": self.visitor().come_in("admin", first)}
        for role, password in PASSWORD.items():
            made = self.who["admin"].post("/api/users", {"name": role, "role": role, "password": password + " 1"})
            assert made.status == 201, made
            self.who[role] = self.visitor().come_in(role, password + " 1")
        self.description = Description(self.who["viewer"].get("/api/openapi.json").raw)
        self.operations = [o for o in self.description.operations if (o.method, o.path) not in TO_COME]
        self.device = {"id": "no/device", "connection": "none"}
        if ("GET", "/api/device-health") not in TO_COME:
            self.device = eventually(self.polled, 30, "a device that answers")

    def visitor(self, **more):
        return Visitor(self.where, timeout=25, **more)

    def polled(self):
        items = self.who["viewer"].get("/api/device-health").json["items"]
        return next((d for d in items if d["state"] == "ok" and d["polls"] > 3), None)


class Api(TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="lightship-api-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        cls.site = Site(folder)
        cls.addClassCleanup(cls.site.process.stop)
        cls.description, cls.who = cls.site.description, cls.site.who

    def what_was_said(self):
        return self.site.process.said()

    def good_parts(self, operation):
        """Parts of a path that name something."""
        kind = (operation.path + "//").split("/")[2]
        if kind in ("device", "devices"):
            return {"id": self.site.device["id"]}
        return {p["name"]: "no-such-thing" for p in operation.parameters if p["in"] == "path"}

    def good_query(self, operation):
        device = self.site.device["id"]
        points = [{"name": "none"}]
        if device != "no/device":
            points = self.who["viewer"].get(f"/api/device/{device.replace('/', '%2F')}/registers").json["items"]
        known = {"point": f"{device}/{points[0]['name']}", "from": "-1h", "to": "-0s", "about": f"device:{device}", "line": f"modbus/{self.site.device['connection']}"}
        if operation.path.endswith("/registers"):
            known["point"] = points[0]["name"]
        return {p["name"]: known[p["name"]] for p in operation.parameters if p["in"] == "query" and p.get("required") and p["name"] in known}

    # ---- the routes ---------------------------------------------------------------------------------

    def test_describes_every_route_and_no_other(self):
        routes = {(r["method"], r["path"]): r["role"] for r in self.who["viewer"].get("/api").json["items"]}
        told = {(o.method, o.path): o.role for o in self.site.operations}
        self.assertEqual(sorted(set(routes) & TO_COME), [], "there by now: take it from TO_COME")
        self.assertEqual(sorted(set(routes) - set(told)), [], "not described")
        self.assertEqual(sorted(set(told) - set(routes)), [], "described, but not there")
        routes.pop(("GET", "/metrics")), told.pop(("GET", "/metrics"))   # may be open
        self.assertEqual(routes, told, "who may")

    # ---- the answers --------------------------------------------------------------------------------

    def test_answers_as_described(self):
        for operation in self.site.operations:
            if operation.method != "GET" or operation.path == "/api/live":
                continue
            with self.subTest(repr(operation)):
                target = operation.target(self.good_parts(operation), self.good_query(operation))
                answer = self.who["admin"].get(target)
                if operation.path == "/api/history" and self.site.device["id"] == "no/device":
                    continue
                self.assertEqual(answer.status, 200, answer)
                if operation.path in OLD_SHAPE:
                    self.assertNotEqual(self.description.wrong(operation, answer), [], "it has its shape: take it from OLD_SHAPE")
                    continue
                self.assertEqual(self.description.wrong(operation, answer), [])

    def test_answers_with_every_parameter_as_described(self):
        for operation in self.site.operations:
            if operation.method != "GET" or operation.path in ("/api/live", "/api/history"):
                continue
            for parameter in operation.parameters:
                if parameter["in"] != "query":
                    continue
                for value in parameter["schema"].get("enum", [parameter["schema"].get("maximum", "modbus")]):
                    with self.subTest(f"{operation} {parameter['name']}={value}"):
                        target = operation.target(self.good_parts(operation), {**self.good_query(operation), parameter["name"]: value})
                        answer = self.who["admin"].get(target)
                        self.assertLess(answer.status, 500, answer)
                        self.assertEqual(self.description.wrong(operation, answer), [])

    def test_answers_of_what_changes_are_as_described(self):
        admin, id_ = self.who["admin"], self.site.device["id"]
        points = [{"name": "none"}]
        if id_ != "no/device":
            points = admin.get(f"/api/device/{id_.replace('/', '%2F')}/registers").json["items"]
        made = {}
        for method, path, parts, body, status in [
                ("POST", "/api/device/{id}/poll", {"id": id_}, None, (202,)),
                ("POST", "/api/devices/{id}/poll", {"id": id_}, None, (202,)),
                ("POST", "/api/device/{id}/write", {"id": id_}, {"point": points[0]["name"], "value": 1}, (409, 422)),
                ("POST", "/api/diag/ping", {}, {"host": "127.0.0.1", "count": 2}, (200,)),
                ("POST", "/api/diag/dns", {}, {"name": "localhost"}, (200,)),
                ("POST", "/api/diag/port", {}, {"host": "127.0.0.1", "port": self.site.where()[1]}, (200,)),
                ("POST", "/api/users", {}, {"name": "berta", "role": "viewer", "password": "for the first time"}, (201,)),
                ("POST", "/api/users/{name}", {"name": "berta"}, {"role": "operator"}, (200,)),
                ("DELETE", "/api/users/{name}", {"name": "berta"}, None, (204,)),
                ("POST", "/api/tokens", {}, {"name": "nightly", "role": "viewer", "days": 7}, (201,)),
                ("DELETE", "/api/tokens/{id}", {"id": "nightly"}, None, (204,)),
                ("POST", "/api/service/restart", {}, {"part": "mqtt"}, (202,)),
                ("POST", "/api/alerts/{id}/ack", {"id": "no-such-alert"}, {"note": "seen"}, (404,)),
                ("DELETE", "/api/sessions/{id}", {"id": "no-such-session"}, None, (404,)),
        ]:
            if (method, path) in TO_COME:
                continue
            operation = self.description.operation(method, path)
            with self.subTest(repr(operation)):
                if parts.get("id") == "nightly":
                    parts = {"id": made["/api/tokens"]["id"]}
                answer = admin.ask(method, operation.target(parts), body)
                self.assertIn(answer.status, status, answer)
                self.assertEqual(self.description.wrong(operation, answer), [])
                if answer.status == 201:
                    made[path] = answer.json
        if ("POST", "/api/diag/ping") in TO_COME:
            return
        streamed = admin.ask("POST", "/api/diag/ping", {"host": "127.0.0.1", "count": 2}, {"Accept": "application/x-ndjson"})
        self.assertEqual(self.description.wrong(self.description.operation("POST", "/api/diag/ping"), streamed), [])
        self.assertEqual(len(streamed.body.splitlines()), 3, streamed)

    # ---- the refusals -------------------------------------------------------------------------------

    def test_tells_a_stranger_nothing_but_401(self):
        for operation in self.site.operations:
            if operation.role is None or operation.path == "/metrics":
                continue
            for sent in ({}, {"Cookie": "lightship=0123456789abcdef"}, {"Authorization": "Bearer ls_0123456789abcdef"}, {"Authorization": "Basic YWRtaW46YWRtaW4="}):
                with self.subTest(f"{operation} {sent}"):
                    answer = self.site.visitor().ask(operation.method, operation.target(self.good_parts(operation)), {} if operation.body else None, sent)
                    self.assertEqual(answer.status, 401, answer)
                    self.assertEqual(self.description.wrong(operation, answer), [])
                    self.assertEqual(set(answer.json) - {"type", "title", "status", "detail"}, set())

    def test_refuses_whose_role_does_not_suffice(self):
        rank = ["viewer", "operator", "admin"]
        for operation in self.site.operations:
            if operation.role is None:
                continue
            for role in rank[:rank.index(operation.role)]:
                with self.subTest(f"{operation} as {role}"):
                    answer = self.who[role].ask(operation.method, operation.target(self.good_parts(operation)), {} if operation.body else None)
                    self.assertEqual(answer.status, 403, answer)
                    self.assertEqual(self.description.wrong(operation, answer), [])

    def test_refuses_a_change_without_its_csrf_token(self):
        for operation in self.site.operations:
            if operation.role is None or operation.method == "GET":
                continue
            for sent in ({"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": self.who["viewer"].csrf}):
                with self.subTest(f"{operation} {sent}"):
                    answer = self.who["admin"].ask(operation.method, operation.target(self.good_parts(operation)), {} if operation.body else None, sent)
                    self.assertEqual((answer.status, answer.json["type"]), (403, "csrf"), answer)

    def test_refuses_what_is_not_there_and_methods_that_are_not_known(self):
        for path in ("/api/nothing", "/api/device/a%2Fb/nothing", "/api/device/%zz/registers", "/api/", "/api/diag/"):
            answer = self.who["admin"].get(path)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "application/problem+json"), path)
        for operation in self.site.operations:
            known = {o.method for o in self.site.operations if o.path == operation.path}
            for method in {"GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"} - known:
                with self.subTest(f"{method} {operation.path}"):
                    answer = self.who["admin"].ask(method, operation.target(self.good_parts(operation)))
                    if operation.path == "/api/users/{name}" and answer.status == 404:
                        continue
                    self.assertEqual(answer.status, 405, answer)
                    self.assertEqual(set(answer.headers["Allow"].replace("HEAD", "").replace(" ", "").split(",")) - {""}, known)

    # ---- nonsense -----------------------------------------------------------------------------------

    def test_survives_requests_made_from_its_description(self):
        dice = Nonsense(random.Random(SEED), self.description)
        operations = [o for o in self.site.operations if o.path != "/api/live"]
        roles = [None, "viewer", "operator", "admin"]
        wrong, slowest = [], (0.0, "")
        for number in range(REQUESTS):
            operation, role = operations[number % len(operations)], roles[number // len(operations) % len(roles)]
            method, target, body, headers = dice.request(operation, self.good_parts(operation), self.good_query(operation), role)
            # Strangers come from elsewhere: the guesses among their log-ins would lock this address.
            visitor = self.who[role] if role else self.site.visitor(source="127.0.0.77")
            began = time.monotonic()
            said = f"as {role or 'a stranger'}: {method} {target[:200]} {str(body)[:200]}"
            try:
                answer = visitor.ask(method, target, body, headers)
            except (OSError, http.client.HTTPException) as error:
                wrong.append(f"{said}: {error!r}")
                continue
            slowest = max(slowest, (time.monotonic() - began, said))
            if role is None and operation.role is not None and operation.path != "/metrics":
                if answer.status not in (401, 429, 400, 413, 431):
                    wrong.append(f"{said}: a stranger was answered {answer}")
                continue
            if operation.path not in OLD_SHAPE:
                wrong += [f"{said}: {one}" for one in self.description.wrong(operation, answer)]
            if answer.status == 401 and role is not None and operation.path not in ("/api/login", "/api/password"):
                self.fail(f"{said}: the session is over: {answer}")
        self.assertEqual(wrong[:20], [], f"{len(wrong)} of {REQUESTS}, LIGHTSHIP_API_SEED={SEED}")
        self.assertLess(slowest[0], 20, slowest[1])
        self.assertTrue(self.site.process.running())
        self.assertEqual(self.who["viewer"].get("/api/status").status, 200)


class Nonsense:
    """Requests made from a description: right ones, wrong ones, and those at the border."""

    TEXTS = ["", " ", "a", "-1h", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "-99999999999999999999h", "'; DROP TABLE users; --", "../../etc/passwd",
             "%00", "\u0000", "\ud7ff\U0001f4a1", "x" * 300, "(", "(a+)+$", "[[[[", "${jndi:x}", "<script>", "null", "1e999", "-0", "NaN", "modbus/", "device:", "line:\n"]
    NUMBERS = [0, -1, 1, 2**31, -2**31, 2**53, 2**63, 2**64, 10**30, 0.5, -0.0, 1e308]
    HOSTS = ["127.0.0.1", "::1", "localhost", "", "-c1", "127.0.0.1;id", "$(id)", "a" * 254, "127.0.0.1\n", "nothing.invalid", "256.256.256.256", 7, None, [], "0"]

    def __init__(self, dice, description):
        self.dice, self.description = dice, description

    def request(self, operation, parts, query, role):
        dice = self.dice
        path = {name: value if dice.random() < 0.5 else dice.choice([t for t in self.TEXTS if t]) for name, value in parts.items()}
        query = dict(query) if dice.random() < 0.8 else {}
        for parameter in operation.parameters:
            if parameter["in"] == "query" and dice.random() < 0.4:
                query[parameter["name"]] = self.value(parameter["schema"])
        if dice.random() < 0.1:
            query[dice.choice(self.TEXTS)] = dice.choice(self.TEXTS)
        query = {k.encode(errors="replace"): str(v).encode(errors="replace") for k, v in query.items() if v is not None}
        path = {k: v.encode(errors="replace").decode() for k, v in path.items()}
        target = operation.target(path, query)
        if dice.random() < 0.03:
            target += ("&" if "?" in target else "?") + dice.choice(["%", "%zz", "&&==", "=", "a=%00", "?"])
        headers = {}
        if operation.path == "/api/logout" and role:
            headers["X-CSRF-Token"] = "not this one"   # or everybody would be out
        if dice.random() < 0.1:
            headers["Accept"] = dice.choice(["application/x-ndjson", "text/csv", "*/*;q=x", ","])
        if dice.random() < 0.1:
            headers["Accept-Encoding"] = dice.choice(["gzip", "gzip;q=0", "*", ",;q=", "br"])
        if operation.body is None or operation.method == "GET":
            return operation.method, target, None, headers
        return operation.method, target, self.body(operation, role), headers

    def body(self, operation, role):
        dice, kind = self.dice, self.dice.random()
        schema = self.description.resolve(operation.body)
        if operation.path == "/api/service/restart" and role == "admin":
            return {"part": dice.choice(["modbus/none", "none", 7, [], "x" * 300])}   # without a part all would restart
        if operation.path == "/api/password" and role:
            return {"old": 7}   # five wrong ones lock the account
        if kind < 0.06:
            return dice.choice(["{", "[]", "nul", '"a"', "\ufeff{}", '{"a":1,"a":2}', "{" * 60, "[" * 5000, '{"a":"\\ud800"}']).encode(errors="replace")
        if kind < 0.09:
            return b"\xff\xfe\x00"
        if kind < 0.11:
            return json.dumps({"host": "x" * 100_000}).encode()
        body = {}
        for name, of in schema.get("properties", {}).items():
            if name in schema.get("required", []) and dice.random() < 0.93 or dice.random() < 0.5:
                body[name] = dice.choice(self.HOSTS) if name in ("host",) else self.value(of)
        if isinstance(body.get("count"), int) and not isinstance(body["count"], bool) and 2 < body["count"] <= 1000:
            body["count"] = 2  # a second each
        if dice.random() < 0.1:
            body[dice.choice(self.TEXTS)] = self.value({})
        return body

    def value(self, schema):
        dice, schema = self.dice, self.description.resolve(schema)
        kinds = schema.get("type") or "string"
        kind = dice.choice(kinds) if isinstance(kinds, list) else kinds
        if dice.random() < 0.25:
            return dice.choice([dice.choice(self.TEXTS), dice.choice(self.NUMBERS), None, True, [], {}, [[1]], {"a": {"b": 1}}])
        if "enum" in schema:
            return dice.choice(schema["enum"])
        if kind in ("integer", "number"):
            low, high = schema.get("minimum", 0), schema.get("maximum", 2**31)
            return dice.choice([low, high, low - 1, high + 1, dice.randint(int(low), int(high)), dice.choice(self.NUMBERS)])
        if kind == "string":
            least, most = schema.get("minLength", 0), schema.get("maxLength", 64)
            return dice.choice([dice.choice(self.TEXTS), "k" * least, "k" * max(0, least - 1), "k" * most, "k" * (most + 1)])
        return {"boolean": True, "null": None, "object": {}, "array": []}[kind]

"""Who gets into the portal: guessers, forged requests, stolen and old sessions, roles, tokens, `lightship user`."""
import contextlib
import http.client
import json
import os
import pathlib
import pty
import re
import socket
import stat
import subprocess
import time
import unittest

from support.program import Lightship, clean_environment, lightship_binary
from support.testcase import TestCase
from support.waiting import eventually, free_port

PASSWORD = "lamp-on-the-water"


def user(data, *arguments, password=None, within=30):
    """`lightship user ...`, with the password as a script gives it."""
    more = ["--password-stdin"] if password is not None else []
    return subprocess.run([lightship_binary(), "user", *arguments, "--data", data, *more], text=True, capture_output=True,
                          input=None if password is None else password + "\n", timeout=within, env=clean_environment(),
                          stdin=subprocess.DEVNULL if password is None else None)


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.text = answer.status, answer.headers, answer.read().decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def type(self):
        return self.json["type"]

    def __repr__(self):
        return f"{self.status} {dict(self.headers)}\n{self.text}"


class Browser:
    """What one browser, or script, sends: from its own address, with its cookie and CSRF token."""

    def __init__(self, gateway, address="127.0.0.1", token=None):
        self.gateway, self.address, self.token = gateway, address, token
        self.cookie = self.csrf = None

    def ask(self, method, path, body=None, **headers):
        host, port = self.gateway.portal
        connection = http.client.HTTPConnection(host, port, timeout=10, source_address=(self.address, 0))
        sent = {"Content-Type": "application/json"} if body is not None else {}
        if self.cookie:
            sent["Cookie"] = self.cookie
        if self.csrf:
            sent["X-CSRF-Token"] = self.csrf
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            return Answer(connection.getresponse())

    def log_in(self, name="boss", password=PASSWORD):
        answer = self.ask("POST", "/api/login", {"username": name, "password": password})
        if answer.status == 200:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
            self.csrf = answer.json["csrf_token"]
        return answer


class Portal(TestCase):
    def gateway(self, **more):
        """With a user of each role, who have their own passwords."""
        gateway = Lightship(**more)
        for name, role in (("boss", "admin"), ("otto", "operator"), ("vera", "viewer")):
            made = user(gateway.data, "add", name, "--role", role, password=PASSWORD)
            self.assertEqual(made.returncode, 0, made.stderr)
        return self.start(gateway)

    def inside(self, gateway, name="boss", **more):
        browser = Browser(gateway, **more)
        answer = browser.log_in(name)
        self.assertEqual(answer.status, 200, answer)
        return browser

    def assert_outside(self, answer):
        """401, and not a word more than that."""
        self.assertEqual(answer.status, 401, answer)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        self.assertEqual(set(answer.json), {"type", "title", "status", "detail"})
        self.assertNotIn("Set-Cookie", answer.headers)


class FirstStart(Portal):
    def test_a_password_is_printed_once_and_must_be_changed(self):
        gateway = self.start(Lightship())
        password = eventually(gateway.first_password, 10, "the first password is printed")
        self.assertRegex(password, r"^([a-z]{5}-){4}[a-z]{5}$")
        admin = Browser(gateway)
        self.assertTrue(admin.log_in("admin", password).json["must_change_password"])
        self.assertEqual(admin.ask("GET", "/api/status").type, "password-change-required")
        self.assertEqual(admin.ask("POST", "/api/password", {"old": password, "new": PASSWORD}).status, 204)
        self.assertEqual(admin.ask("GET", "/api/status").status, 200)
        for file in filter(pathlib.Path.is_file, gateway.data.iterdir()):
            self.assertNotIn(password, file.read_text(errors="replace"), file)
        gateway.kill_9()
        printed = gateway.text().count("login admin")
        gateway.start_again()
        self.assertEqual(Browser(gateway).log_in("admin", password).status, 401)
        self.assertEqual(Browser(gateway).log_in("admin").status, 200)
        self.assertEqual((printed, gateway.text().count("login admin")), (1, 1))


class Guessing(Portal):
    def test_a_guesser_is_locked_out_and_the_owner_is_not(self):
        gateway = self.gateway()
        guesser = Browser(gateway)
        for _ in range(5):
            self.assertEqual(guesser.log_in(password="not the password").status, 401)
        locked = guesser.log_in()
        self.assertEqual((locked.status, locked.type), (429, "locked"), locked)
        self.assertTrue(1 <= int(locked.headers["Retry-After"]) <= 30, locked)
        self.assertRegex(locked.json["detail"], r"\d+ s")
        self.assertEqual(Browser(gateway).log_in("otto").status, 429, "the address waits, whatever the account")
        owner = Browser(gateway, "127.0.0.2")
        self.assertEqual(owner.log_in().status, 200)
        shown = next(one for one in owner.ask("GET", "/api/users").json["items"] if one["name"] == "boss")
        self.assertIsNotNone(shown["locked_until"])
        audit = owner.ask("GET", "/api/audit").json["items"]
        self.assertEqual([one["event"] for one in audit][:7], ["login"] + ["login-refused"] * 6)
        self.assertEqual(audit[1]["address"], "127.0.0.1")

    def test_many_addresses_cannot_keep_out_one_that_is_known(self):
        gateway = self.gateway()
        owner = self.inside(gateway, address="127.0.0.2")
        for last in range(10, 40):
            Browser(gateway, f"127.0.0.{last}").log_in(password="not the password")
        stranger = Browser(gateway, "127.0.0.99").log_in()
        self.assertEqual(stranger.status, 429, stranger)
        self.assertLessEqual(int(stranger.headers["Retry-After"]), 30, "one gets through each half a minute")
        self.assertEqual(owner.log_in().status, 200)

    def test_a_neighbour_at_the_same_address_cannot_keep_out_a_browser_that_is_known(self):
        gateway = self.gateway()
        known = Browser(gateway)
        device = known.log_in().headers.get_all("Set-Cookie")[1].split(";")[0]
        neighbour = Browser(gateway)
        for _ in range(8):
            neighbour.log_in(password="not the password")
        self.assertEqual(neighbour.log_in().status, 429)
        for _ in range(2):
            known.cookie, known.csrf = device, None
            self.assert_outside(known.ask("GET", "/api/session"))
            self.assertEqual(known.log_in().status, 200)
            gateway.kill_9()
            gateway.start_again()
            for _ in range(8):
                neighbour.log_in(password="not the password")
        self.assertNotIn(device.split("=")[1], (gateway.data / "sessions.json").read_text())

    def test_an_unknown_user_is_told_the_same_and_as_late(self):
        gateway = self.gateway()
        took = {"boss": [], "nobody": []}
        texts = {}
        for turn in range(8):
            for number, name in enumerate(took):
                began = time.monotonic()
                answer = Browser(gateway, f"127.0.{1 + number}.{1 + turn}").log_in(name, "not the password")
                took[name].append(time.monotonic() - began)
                self.assertEqual(answer.status, 401)
                texts[name] = answer.text
        self.assertEqual(texts["boss"], texts["nobody"])
        known, unknown = (sorted(times)[2] for times in took.values())
        self.assertLess(max(known, unknown) / min(known, unknown), 3, took)


class Forging(Portal):
    def test_a_change_without_the_sessions_own_csrf_token_is_refused(self):
        gateway = self.gateway()
        victim, other = self.inside(gateway), self.inside(gateway, "vera")
        right = victim.csrf
        for csrf in (None, "", "0" * 64, other.csrf):
            victim.csrf = csrf
            refused = victim.ask("POST", "/api/users", {"name": "evil", "role": "admin", "password": PASSWORD})
            self.assertEqual((refused.status, refused.type), (403, "csrf"), f"{csrf}: {refused}")
        victim.csrf = right
        self.assertEqual({one["name"] for one in victim.ask("GET", "/api/users").json["items"]}, {"boss", "otto", "vera"})
        self.assertEqual(victim.ask("POST", "/api/logout").status, 204)

    def test_another_sites_page_cannot_log_anybody_in(self):
        gateway = self.gateway()
        body = {"username": "boss", "password": PASSWORD}
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
            refused = Browser(gateway).ask("POST", "/api/login", body, **headers)
            self.assertEqual((refused.status, refused.type), (403, "csrf"), refused)
            self.assertNotIn("Set-Cookie", refused.headers)
        self.assertEqual(Browser(gateway).ask("POST", "/api/login", body, Content_Type="text/plain").status, 415)
        host, port = gateway.portal
        self.assertEqual(Browser(gateway).ask("POST", "/api/login", body, Origin=f"http://{host}:{port}").status, 200)

    def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self):
        answer = Browser(self.gateway()).log_in()
        self.assertRegex(answer.headers["Set-Cookie"], r"^lightship-[0-9a-f]{8}=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict$")
        device = answer.headers.get_all("Set-Cookie")[1]
        self.assertRegex(device, r"^lightship-[0-9a-f]{8}-device=[0-9a-f]{64}; Path=/; HttpOnly; SameSite=Strict; Max-Age=15552000$")


class Sessions(Portal):
    def test_a_stolen_one_is_worth_nothing_after_the_log_out(self):
        gateway = self.gateway()
        owner = self.inside(gateway)
        thief = Browser(gateway, "127.0.0.66")
        thief.cookie, thief.csrf = owner.cookie, owner.csrf
        self.assertEqual(thief.ask("GET", "/api/session").status, 200)
        self.assertEqual(owner.ask("POST", "/api/logout").status, 204)
        for path in ("/api/session", "/api/users", "/api/status", "/api/nothing"):
            self.assert_outside(thief.ask("GET", path))
        self.assert_outside(thief.ask("POST", "/api/password", {"old": PASSWORD, "new": "taken-over-by-me"}))

    def test_the_live_feed_ends_with_its_session(self):
        gateway = self.gateway()
        for end in ("log out", "remove"):
            browser = self.inside(gateway, "vera")
            with contextlib.closing(socket.create_connection(gateway.portal, timeout=5)) as feed:
                host, port = gateway.portal
                feed.sendall((f"GET /api/live HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                              f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: {browser.cookie}\r\n"
                              f"Origin: http://{host}:{port}\r\n\r\n").encode())
                head = b""
                while b"\r\n\r\n" not in head:
                    head += feed.recv(1)
                self.assertIn(b" 101 ", head)
                if end == "log out":
                    self.assertEqual(browser.ask("POST", "/api/logout").status, 204)
                else:
                    self.assertEqual(user(gateway.data, "remove", "vera").returncode, 0)
                frame = feed.recv(4)
                self.assertEqual((frame[0] & 0x0F, int.from_bytes(frame[2:4], "big")), (8, 4401), end)

    def test_foreign_ones_and_rubbish_are_nobody(self):
        gateway = self.gateway()
        inside = self.inside(gateway)
        identity = inside.ask("GET", "/api/sessions").json["items"][0]["id"]
        digest = json.loads((gateway.data / "sessions.json").read_text())["sessions"][0]["digest"]
        for value in ("", "x", "0" * 64, identity, digest, inside.csrf, inside.cookie.split("=")[1].upper(), "a" * 4000):
            stranger = Browser(gateway)
            stranger.cookie = f"{inside.cookie.split('=')[0]}={value}"
            self.assert_outside(stranger.ask("GET", "/api/session"))
        for token in ("", "lsp_", "lsp_" + "0" * 64, inside.cookie.split("=")[1]):
            self.assert_outside(Browser(gateway).ask("GET", "/api/session", Authorization=f"Bearer {token}"))

    def test_two_gateways_at_one_host_leave_each_others_alone(self):
        browsers = [self.inside(self.gateway()) for _ in range(2)]
        jar = "; ".join(browser.cookie for browser in browsers)
        for browser in browsers:
            browser.cookie = jar
            self.assertEqual(browser.ask("GET", "/api/session").status, 200)
        self.assertEqual(browsers[0].ask("POST", "/api/logout").status, 204)
        self.assertEqual(browsers[1].ask("GET", "/api/session").status, 200)

    def test_a_proxys_own_password_is_in_nobodys_way(self):
        browser = self.inside(self.gateway(), "vera")
        self.assertEqual(browser.ask("GET", "/api/session", Authorization="Basic cHJveHk6cHJveHk=").json["user"], "vera")

    def test_an_ipv4_address_is_shown_as_one_where_ipv6_is_listened_on(self):
        gateway = self.gateway(portal={"listen": f"[::]:{free_port()}"})
        browser = self.inside(gateway, address="127.0.0.1")
        self.assertEqual({one["address"] for one in browser.ask("GET", "/api/sessions").json["items"]}, {"127.0.0.1"})
        self.assertEqual(browser.ask("GET", "/api/audit").json["items"][0]["address"], "127.0.0.1")

    def test_an_expired_one_is_nobody(self):
        gateway = self.gateway()
        browser = self.inside(gateway)
        gateway.terminate()
        file = gateway.data / "sessions.json"
        kept = json.loads(file.read_text())
        kept["sessions"][0]["seen"] = "2020-01-01T00:00:00.000Z"
        file.write_text(json.dumps(kept))
        gateway.start_again()
        self.assert_outside(browser.ask("GET", "/api/session"))

    def test_they_go_on_after_a_restart_and_a_kill(self):
        gateway = self.gateway()
        browser, leaving = self.inside(gateway), self.inside(gateway, "vera")
        before = browser.ask("GET", "/api/session").json
        gateway.terminate()
        gateway.start_again()
        self.assertEqual(browser.ask("GET", "/api/session").json["csrf_token"], before["csrf_token"])
        self.assertEqual(leaving.ask("POST", "/api/logout").status, 204)
        gateway.kill_9()
        gateway.start_again()
        self.assertEqual(browser.ask("GET", "/api/session").status, 200)
        self.assert_outside(leaving.ask("GET", "/api/session"))

    def test_the_others_end_with_the_password(self):
        gateway = self.gateway()
        here, there = self.inside(gateway), self.inside(gateway)
        self.assertEqual(here.ask("POST", "/api/password", {"old": "wrong", "new": "lamp-under-water"}).status, 401)
        self.assertEqual(here.ask("POST", "/api/password", {"old": PASSWORD, "new": "lamp-under-water"}).status, 204)
        gateway.kill_9()
        gateway.start_again()
        self.assertEqual(here.ask("GET", "/api/session").status, 200)
        self.assert_outside(there.ask("GET", "/api/session"))
        self.assertEqual(Browser(gateway).log_in().status, 401)
        self.assertEqual(Browser(gateway).log_in(password="lamp-under-water").status, 200)


class Roles(Portal):
    def test_nobody_gets_401_from_every_path_of_the_api(self):
        gateway = self.gateway()
        described = self.inside(gateway).ask("GET", "/api/openapi.json").json
        asked = 0
        for path, methods in described["paths"].items():
            for method, row in methods.items():
                if not path.startswith("/api/") or row.get("security") == []:
                    continue
                self.assert_outside(Browser(gateway).ask(method.upper(), re.sub(r"\{\w+\}", "x", path)))
                asked += 1
        self.assertGreater(asked, 30)
        self.assert_outside(Browser(gateway).ask("GET", "/api/there-is-no-such-thing"))

    def test_each_may_what_the_role_says(self):
        gateway = self.gateway()
        admin_only = [("GET", "/api/users"), ("GET", "/api/tokens"), ("GET", "/api/audit"), ("POST", "/api/users"),
                      ("POST", "/api/tokens"), ("DELETE", "/api/users/boss"), ("POST", "/api/users/vera"),
                      ("POST", "/api/service/restart")]
        for name in ("vera", "otto"):
            browser = self.inside(gateway, name)
            for method, path in admin_only:
                refused = browser.ask(method, path, {} if method == "POST" else None)
                self.assertEqual((refused.status, refused.type), (403, "role"), f"{name} {method} {path}: {refused}")
            self.assertEqual({one["user"] for one in browser.ask("GET", "/api/sessions").json["items"]}, {name})

    def test_a_change_of_role_holds_at_once_and_the_last_administrator_stays(self):
        gateway = self.gateway()
        boss, otto = self.inside(gateway), self.inside(gateway, "otto")
        self.assertEqual(boss.ask("POST", "/api/users/otto", {"role": "admin"}).status, 200)
        self.assertEqual(otto.ask("GET", "/api/users").status, 200)
        self.assertEqual(otto.ask("DELETE", "/api/users/boss").status, 204)
        self.assert_outside(boss.ask("GET", "/api/session"))
        last = otto.ask("DELETE", "/api/users/otto")
        self.assertEqual(last.status, 409, last)
        self.assertIn("last administrator", last.json["detail"])
        self.assertEqual(otto.ask("POST", "/api/users/otto", {"role": "viewer"}).status, 409)

    def test_a_first_password_lets_nothing_else_through(self):
        gateway = self.gateway()
        boss = self.inside(gateway)
        made = boss.ask("POST", "/api/users", {"name": "nina", "role": "operator", "password": "only-the-first-one"})
        self.assertEqual(made.status, 201, made)
        nina = Browser(gateway)
        self.assertTrue(nina.log_in("nina", "only-the-first-one").json["must_change_password"])
        for path in ("/api/status", "/api/sessions", "/api/users", "/api/openapi.json", "/api/nothing"):
            refused = nina.ask("GET", path)
            self.assertEqual((refused.status, refused.type), (403, "password-change-required"), refused)
        weak = nina.ask("POST", "/api/password", {"old": "only-the-first-one", "new": "password1234"})
        self.assertEqual((weak.status, weak.type, weak.json["errors"][0]["field"]), (422, "weak-password", "new"), weak)
        same = nina.ask("POST", "/api/password", {"old": "only-the-first-one", "new": "only-the-first-one"})
        self.assertEqual(same.status, 422, same)
        self.assertEqual(nina.ask("POST", "/api/password", {"old": "only-the-first-one", "new": "a-lamp-for-nina"}).status, 204)
        self.assertEqual(nina.ask("GET", "/api/status").status, 200)


class Tokens(Portal):
    def test_they_do_what_their_role_may_until_they_end(self):
        gateway = self.gateway()
        boss = self.inside(gateway)
        made = boss.ask("POST", "/api/tokens", {"name": "backup", "role": "viewer", "days": 1})
        self.assertEqual(made.status, 201, made)
        secret = made.json["token"]
        self.assertTrue(secret.startswith("lsp_"))
        script = Browser(gateway, token=secret)
        answer = script.ask("GET", "/api/status")
        self.assertEqual(answer.status, 200)
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertEqual(script.ask("GET", "/api/users").status, 403)
        listed = boss.ask("GET", "/api/tokens")
        self.assertNotIn(secret[4:], listed.text)
        self.assertIsNotNone(listed.json["items"][0]["last_used"])

        # A day later, as far as the file can tell.
        file = gateway.data / "users.json"
        kept = json.loads(file.read_text())
        self.assertNotIn(secret[4:], file.read_text())
        kept["tokens"][0]["expires"] = "2020-01-01T00:00:00.000Z"
        file.write_text(json.dumps(kept))
        eventually(lambda: script.ask("GET", "/api/status").status == 401, 5, "the token has expired")
        self.assert_outside(script.ask("GET", "/api/status"))

    def test_a_removed_one_ends_and_stays_so_after_a_kill(self):
        gateway = self.gateway()
        boss = self.inside(gateway)
        made = boss.ask("POST", "/api/tokens", {"name": "x", "role": "admin", "days": None}).json
        script = Browser(gateway, token=made["token"])
        self.assertEqual(script.ask("GET", "/api/users").status, 200)
        self.assertEqual(script.ask("POST", "/api/tokens", {"name": "y", "role": "viewer"}).status, 403)
        self.assertEqual(boss.ask("DELETE", f"/api/tokens/{made['id']}").status, 204)
        gateway.kill_9()
        gateway.start_again()
        self.assert_outside(script.ask("GET", "/api/users"))


class Secrets(Portal):
    def test_none_is_in_an_answer_a_file_or_the_log(self):
        gateway = self.gateway()
        boss = self.inside(gateway)
        Browser(gateway, "127.0.0.3").log_in("boss", "a-wrong-guess-of-mine")
        Browser(gateway, "127.0.0.3").log_in("typed-my-password-here", "x")
        boss.ask("POST", "/api/users", {"name": "nina", "role": "viewer", "password": "only-the-first-one"})
        token = boss.ask("POST", "/api/tokens", {"name": "x", "role": "viewer"}).json["token"]
        boss.ask("POST", "/api/password", {"old": PASSWORD, "new": "lamp-under-water"})
        secrets = [PASSWORD, "a-wrong-guess-of-mine", "typed-my-password-here", "only-the-first-one", "lamp-under-water",
                   token[4:], boss.cookie.split("=")[1]]
        told = [boss.ask("GET", path).text for path in ("/api/session", "/api/users", "/api/sessions", "/api/tokens", "/api/audit")]
        told += [file.read_text(errors="replace") for file in gateway.data.iterdir() if file.is_file()]
        told.append(gateway.text())
        for text in told:
            for secret in secrets:
                self.assertNotIn(secret, text)
        self.assertNotIn("argon2", "".join(told[:5]))
        for name in ("users.json", "sessions.json", "audit.jsonl"):
            self.assertEqual(stat.S_IMODE((gateway.data / name).stat().st_mode), 0o600, name)


class TheCommand(Portal):
    def test_changes_hold_while_the_gateway_runs(self):
        gateway = self.gateway()
        vera, otto = self.inside(gateway, "vera"), self.inside(gateway, "otto")
        self.assertEqual(user(gateway.data, "remove", "vera").returncode, 0)
        eventually(lambda: vera.ask("GET", "/api/session").status == 401, 3, "the removed user's session ends")
        self.assertEqual(user(gateway.data, "passwd", "otto", password="another-lamp-entirely").returncode, 0)
        eventually(lambda: otto.ask("GET", "/api/session").status == 401, 3, "the session with the old password ends")
        self.assertEqual(Browser(gateway, "127.0.0.4").log_in("otto").status, 401)
        self.assertEqual(Browser(gateway).log_in("otto", "another-lamp-entirely").status, 200)
        self.assertEqual(user(gateway.data, "add", "nina", "--role", "viewer", password="a-lamp-for-nina").returncode, 0)
        answer = Browser(gateway).log_in("nina", "a-lamp-for-nina")
        self.assertEqual((answer.status, answer.json["must_change_password"]), (200, False), "at once, without waiting")
        audit = self.inside(gateway).ask("GET", "/api/audit").json["items"]
        self.assertIn("password-set", [one["event"] for one in audit])
        self.assertRegex(next(one for one in audit if one["event"] == "password-set")["user"], "^command line, uid ")

    def test_what_cannot_be_is_told(self):
        data = self.folder
        for arguments, password, status, words in (
                (("add", "a b", "--role", "viewer"), PASSWORD, 64, "A name is"),
                (("add", "anna", "--role", "viewer"), "short", 64, "Too short"),
                (("add", "anna", "--role", "king"), PASSWORD, 64, "viewer"),
                (("add", "anna"), PASSWORD, 64, "--role"),
                (("passwd", "anna"), PASSWORD, 64, "There is no user anna"),
                (("remove", "anna"), None, 69, "is gone"),
                ((), None, 64, "subcommand"),
                (("add", "boss", "--role", "admin"), PASSWORD, 0, ""),
                (("add", "BOSS", "--role", "admin"), PASSWORD, 64, "There is a user boss already"),
                (("remove", "boss"), None, 64, "last administrator"),
                (("remove", "anna"), None, 64, "There is no user anna")):
            done = user(data, *arguments, password=password)
            self.assertEqual(done.returncode, status, f"{arguments}: {done.stderr}")
            self.assertIn(words, done.stderr)
        listed = json.loads(user(data, "list", "--json").stdout)["users"]
        self.assertEqual([(one["name"], one["role"]) for one in listed], [("boss", "admin")])
        self.assertRegex(user(data, "list").stdout, r"boss +admin +20")

    def test_a_damaged_file_is_kept_and_told(self):
        gateway = self.gateway()
        inside = self.inside(gateway)
        file = gateway.data / "users.json"
        whole = file.read_text()
        file.write_text(whole[:100])
        refused = Browser(gateway).log_in()
        self.assertEqual(refused.status, 503, refused)
        self.assertNotIn(str(gateway.data), refused.text)
        gateway.wait_for_log_text("nobody can log in", "Put a copy of it back")
        self.assertEqual(inside.ask("GET", "/api/session").status, 200)
        added = inside.ask("POST", "/api/users", {"name": "nina", "role": "viewer", "password": "a-lamp-for-nina"})
        self.assertEqual(added.status, 503, added)
        done = user(gateway.data, "add", "nina", "--role", "viewer", password="a-lamp-for-nina")
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertEqual(file.read_text(), whole[:100])
        file.write_text(whole)
        self.assertEqual(Browser(gateway).log_in().status, 200)

    def test_a_terminal_is_asked_twice_and_shows_nothing(self):
        def on_a_terminal(*typed):
            pid, terminal = pty.fork()
            if pid == 0:
                os.execve(lightship_binary(), ["lightship", "user", "add", "anna", "--role", "viewer", "--data", str(self.folder)],
                          clean_environment())
            shown = b""
            with open(terminal, "r+b", buffering=0) as line:
                for question, answer in zip((b"New password: ", b"Again: "), typed):
                    while question not in shown:
                        shown += line.read(1)
                    # Once the question is there the echo is off a moment later; before, it would be thrown away.
                    time.sleep(0.2)
                    line.write(answer + b"\n")
                with contextlib.suppress(OSError):
                    while part := line.read(100):
                        shown += part
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()
        status, shown = on_a_terminal(b"lamp-on-the-land", b"lamp-on-the-lamd")
        self.assertEqual(status, 64, shown)
        self.assertIn("not the same", shown)
        self.assertNotIn("lamp", shown)
        status, shown = on_a_terminal(b"lamp-on-the-land", b"lamp-on-the-land")
        self.assertEqual(status, 0, shown)
        self.assertIn("anna may log in as viewer", shown)
        self.assertNotIn("lamp", shown)

    def test_works_at_once_with_itself(self):
        data = self.folder
        running = [subprocess.Popen([lightship_binary(), "user", "add", f"user{i}", "--role", "admin", "--password-stdin", "--data", data],
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=clean_environment()) for i in range(8)]
        for process in running:
            process.communicate(PASSWORD + "\n", timeout=60)
            self.assertEqual(process.returncode, 0)
        self.assertEqual(len(json.loads(user(data, "list", "--json").stdout)["users"]), 8)


if __name__ == "__main__":
    unittest.main()

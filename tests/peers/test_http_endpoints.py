"""HTTP endpoints as they are in the field: encrypted, behind proxies, slow, full, wrong, away for a while."""
import email.utils
import gzip
import json
import time

from support import Authority, HttpPeer, HttpProxy, Lightship, TestCase, configuration as c, eventually, free_port, http_peer, lightship, modbus

MEMBERS = ["device_id", "connection_id", "client_id", "type", "timestamp", "quality", "age_ms", "poll_ms", "measurements", "units",
           "sequence"]


def sequences(messages, client="meter"):
    return [m["sequence"] for m in messages if m["client_id"] == client]


def once(numbers):
    """Each number once, as it came first."""
    return list(dict.fromkeys(numbers))


class EndpointTest(TestCase):
    def setUp(self):
        super().setUp()
        self.device = self.start(modbus.libmodbus_tcp())

    def ship(self, measurements, alerts=None, clients=None, files=(), secrets=None, env=None, data=None, options=(), **client):
        """One meter every 0.2 s over HTTP, to this endpoint."""
        clients = clients or [self.client(**client)]
        endpoints = {"electrical": {k: v for k, v in (("measurements", measurements), ("alerts", alerts)) if v}}
        site = {"slave_config": c.slaves(c.tcp(self.device.port, *clients)), "communication": c.communication(api_endpoints=endpoints)}
        if secrets:
            site["secrets"] = secrets
        ship = Lightship(env=env, data=data, options=options, **site)
        if secrets:
            (ship.config / "secrets.yaml").chmod(0o600)
        for path in files:
            (ship.config / path.name).write_bytes(path.read_bytes())
            (ship.config / path.name).chmod(0o600)
        return self.start(ship)

    def client(self, name="meter", unit=1, **more):
        return c.client(name, unit, **({"mqtt_enabled": False, "http_enabled": True, "http_interval": 0.2} | more))

    def part(self, ship, name="http/electrical"):
        return next(p for p in json.loads(ship.get("/api/status").body)["parts"] if p["name"] == name)


class WhatIsPosted(EndpointTest):
    def test_is_one_message_a_request_with_the_headers_of_the_endpoint(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url("/v1/electrical"), "headers": {"X-Site": "harbour", "Authorization": "Bearer abc"}})
        request = peer.wait_for(3)[0]
        self.assertEqual(request.path, "/v1/electrical")
        self.assertEqual(request.headers["content-type"], "application/json")
        self.assertEqual(request.headers["x-site"], "harbour")
        self.assertEqual(request.headers["authorization"], "Bearer abc")
        self.assertRegex(request.headers["user-agent"], r"^lightship/\d")
        self.assertEqual(set(request.json) - {"errors"}, set(MEMBERS))
        self.assertEqual(sequences(peer.messages()), [1, 2, 3])

    def test_values_are_those_of_the_device(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url()})
        eventually(lambda: any(m["quality"] == "good" for m in peer.messages()), 10, "a good message")
        good = next(m for m in peer.messages() if m["quality"] == "good")
        self.assertEqual(good["measurements"],
                         {f"r{i}": v for i, v in enumerate(modbus.mapped(3, 0, 10))} | {"online": True})

    def test_the_connection_is_kept(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url()})
        peer.wait_for(10)
        self.assertEqual(peer.connections, 1)

    def test_gzip_is_unpacked_by_the_server(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url(), "gzip": True})
        request = peer.wait_for(2)[1]
        self.assertEqual(request.headers["content-encoding"], "gzip")
        self.assertEqual(gzip.decompress(request.raw), request.body)
        self.assertEqual(request.json["client_id"], "meter")

    def test_a_batch_is_an_array_of_what_waits(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url(), "batch": 5, "batch_wait": 30},
                  clients=[self.client("a", 1), self.client("b", 2)])
        for request in peer.wait_for(4):
            self.assertEqual(len(request.json), 5)
        for name in ("a", "b"):
            numbers = sequences(peer.messages(), name)
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_a_batch_does_not_wait_for_ever(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url(), "batch": 1000, "batch_wait": 0.5})
        first, second = peer.wait_for(2)
        self.assertIsInstance(first.json, list)
        self.assertGreater(second.at - first.at, 0.3)
        self.assertLess(len(second.json), 10)

    def test_placeholders_are_filled_in(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url("/{device_id}/{type}/{connection_id}/{client_id}?x={client_id}")})
        self.assertEqual(peer.wait_for(1)[0].path, "/testsite/electrical/main/meter?x=meter")

    def test_the_idempotency_key_is_that_of_the_message(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url()})
        for request in peer.wait_for(3):
            self.assertEqual(request.headers["idempotency-key"],
                             f"testsite-http/electrical-main/meter-{request.json['sequence']}")

    def test_each_type_goes_to_its_own_endpoint(self):
        one, two = self.start(HttpPeer()), self.start(HttpPeer())
        site = c.communication(api_endpoints={"electrical": {"measurements": {"url": one.url()}},
                                              "machine": {"measurements": {"url": two.url()}}})
        clients = [self.client("a", 1), self.client("b", 2, type="machine"), self.client("c", 3, type="water"),
                   self.client("d", 4, http_enabled=False)]
        self.start(Lightship(slave_config=c.slaves(c.tcp(self.device.port, *clients)), communication=site))
        one.wait_for(3), two.wait_for(3)
        self.assertEqual({m["client_id"] for m in one.messages()}, {"a"})
        self.assertEqual({m["client_id"] for m in two.messages()}, {"b"})


class WhenItFails(EndpointTest):
    def retried(self, behave, within=20, **endpoint):
        """The first request fails as `behave` says, then all is well: nothing is lost, nothing changes places."""
        peer = HttpPeer()
        peer.behave = lambda request, handler: behave(request, handler) if len(peer.requests) == 1 else 204
        self.start(peer)
        ship = self.ship({"url": peer.url(), **endpoint})
        peer.wait_for(6, within=within)
        accepted = peer.heard(accepted=True)
        numbers = once(sequences(peer.messages()))
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertEqual(accepted[0].headers["idempotency-key"], peer.requests[0].headers["idempotency-key"])
        return peer, ship

    def test_500_is_tried_again_after_a_pause(self):
        peer, ship = self.retried(lambda *_: (500, {}, b"database is down"))
        self.assertGreater(peer.requests[1].at - peer.requests[0].at, 0.4)
        ship.wait_for_log_text("not delivered", "HTTP 500", "database is down")

    def test_429_waits_as_long_as_it_is_asked_to(self):
        peer, _ = self.retried(lambda *_: (429, {"Retry-After": "2"}))
        self.assertGreaterEqual(peer.requests[1].at - peer.requests[0].at, 2.0)
        self.assertLess(peer.requests[1].at - peer.requests[0].at, 3.0)

    def test_503_waits_until_the_date_it_names(self):
        peer, _ = self.retried(lambda *_: (503, {"Retry-After": email.utils.formatdate(time.time() + 3, usegmt=True)}))
        self.assertGreaterEqual(peer.requests[1].at - peer.requests[0].at, 1.9)

    def test_a_server_that_stalls_is_left(self):
        peer, ship = self.retried(http_peer.stall(8), timeout=0.5)
        self.assertLess(peer.requests[1].at - peer.requests[0].at, 2.5)
        ship.wait_for_log_text("no answer within 500 ms")

    def test_an_answer_byte_by_byte_is_waited_for_no_longer_than_the_time_out(self):
        peer, _ = self.retried(http_peer.byte_by_byte(0.1), timeout=0.5)
        self.assertLess(peer.requests[1].at - peer.requests[0].at, 2.5)

    def test_a_slow_answer_within_the_time_out_is_one(self):
        peer = self.start(HttpPeer(behave=http_peer.byte_by_byte(0.01)))
        self.ship({"url": peer.url(), "timeout": 5})
        peer.wait_for(3)
        self.assertEqual(once(sequences(peer.messages(accepted=False))), [1, 2, 3])

    def test_a_connection_that_is_cut_before_the_answer(self):
        self.retried(http_peer.cut_before_answer)

    def test_a_connection_that_is_cut_in_the_answer(self):
        self.retried(http_peer.cut_in_the_answer)

    def test_a_server_that_is_not_there_yet(self):
        port = free_port()
        ship = self.ship({"url": f"http://127.0.0.1:{port}/v1"})
        ship.wait_for_log_text("not delivered", f"http://127.0.0.1:{port}")
        peer = self.start(HttpPeer(port=port))
        peer.wait_for(5)
        numbers = sequences(peer.messages())
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertIs(peer.messages()[0].get("historical"), True)
        eventually(lambda: "historical" not in peer.messages()[-1], 5, "news that is not historical")

    def test_400_is_set_aside_with_its_reason_and_the_next_goes_on(self):
        peer = HttpPeer()
        peer.behave = lambda request: (422, {}, b'{"error": "number 2 is cursed"}') if request.json["sequence"] == 2 else 204
        self.start(peer)
        ship = self.ship({"url": peer.url()})
        peer.wait_for(6)
        self.assertEqual([r.json["sequence"] for r in peer.requests[:6]], [1, 2, 3, 4, 5, 6])
        said = ship.wait_for_log_text("set aside", "HTTP 422", "number 2 is cursed")
        self.assertEqual(said["level"], "error")
        self.assertEqual(self.part(ship)["set_aside"], 1)
        self.assertIn('lightship_http_set_aside_total{sink="http/electrical"} 1', ship.get("/metrics").body)

    def test_what_was_set_aside_is_offered_again_by_hand(self):
        peer = HttpPeer()
        peer.behave = lambda request: 422 if request.json["sequence"] == 2 else 204
        self.start(peer)
        ship = self.ship({"url": peer.url()})
        peer.wait_for(4)
        eventually(lambda: self.part(ship)["set_aside"] == 1, 5, "one is set aside")
        peer.behave = lambda request: 204
        where = ("--config", ship.config, "--data", ship.data)
        refused = lightship("outbox", "discard", "http/electrical", *where)
        self.assertEqual(refused.status, 69, refused)
        self.assertIn("a sink that runs delivers from", refused.err)
        done = lightship("outbox", "retry", "http/electrical", *where)
        self.assertEqual((done.status, done.out), (0, "1 message offered again, behind what waits\n"), done)
        eventually(lambda: [m["sequence"] for m in peer.messages()].count(2) == 1, 5, "it comes again, with its number")
        # One picture of the gateway is shared by all who ask within a quarter of a second.
        eventually(lambda: self.part(ship)["set_aside"] == 0, 5, "nothing is set aside any more")
        self.assertEqual(lightship("outbox", "retry", "mqqt", *where).status, 64)

    def test_what_a_removed_sink_has_left_is_discarded_without_a_gateway_too(self):
        peer = HttpPeer(behave=lambda request: 503)
        self.start(peer)
        ship = self.ship({"url": peer.url()})
        eventually(lambda: self.part(ship)["waiting"] >= 3, 10, "some wait")
        where = ("--config", ship.config, "--data", ship.data)
        ship.terminate()
        done = lightship("outbox", "discard", "http/electrical", *where)
        self.assertEqual(done.status, 0, done)
        self.assertRegex(done.out, r"^discarded: \d+ messages that waited, 0 that were set aside\n$")
        waiting = lightship("outbox", "--json", "--data", ship.data).json["queues"]
        self.assertEqual([queue["waiting"] for queue in waiting], [0])
        before = max(request.json["sequence"] for request in peer.requests)
        count = len(peer.requests)
        peer.behave = lambda request: 204
        ship.start_again()
        peer.wait_for(count + 2)
        self.assertGreater(peer.messages()[-1]["sequence"], before)

    def test_what_a_removed_sink_has_left_is_discarded_by_a_gateway_that_has_no_sink(self):
        peer = self.start(HttpPeer(behave=lambda request: 503))
        ship = self.ship({"url": peer.url()})
        eventually(lambda: self.part(ship)["waiting"] >= 3, 10, "some wait")
        where = ("--config", ship.config, "--data", ship.data)
        ship.terminate()
        ship.write(communication=c.communication())
        ship.start_again()
        done = lightship("outbox", "discard", "http/electrical", *where)
        self.assertEqual(done.status, 0, done)
        self.assertRegex(done.out, r"^discarded: [1-9]\d* messages that waited, 0 that were set aside\n$")
        waiting = lightship("outbox", "--json", "--data", ship.data).json["queues"]
        self.assertEqual([queue["waiting"] for queue in waiting], [0])

    def test_an_alert_that_the_outbox_never_held_comes_after_a_kill(self):
        peer = self.start(HttpPeer())
        data = self.folder / "data"
        (data / "outbox.db").mkdir(parents=True)
        ship = self.ship({"url": peer.url()}, alerts={"url": peer.url("/alerts")}, data=data)
        known = lambda: json.loads((data / "alerts.json").read_text())["alerts"] if (data / "alerts.json").exists() else []
        eventually(lambda: any(a["rule"] == "disk-failing" for a in known()), 10, "the alert is written")
        time.sleep(7)
        self.assertEqual([a["told"] for a in known()], [False])
        ship.kill_9()
        (data / "outbox.db").rmdir()
        ship.start_again()
        eventually(lambda: ["raised", "cleared"] == [r.json["state"] for r in peer.heard("/alerts") if r.json["rule"] == "disk-failing"],
                   20, "the alert is told after all, and its end")

    def test_the_guilty_one_of_a_batch_is_found(self):
        cursed = [7, 8, 15]
        peer = HttpPeer()
        peer.behave = lambda request: 400 if any(m["sequence"] in cursed for m in request.messages) else 204
        self.start(peer)
        ship = self.ship({"url": peer.url(), "batch": 20, "batch_wait": 10})
        eventually(lambda: len(peer.messages()) >= 35, 20, "two batches")
        numbers = sequences(peer.messages())
        self.assertEqual(numbers, [n for n in range(1, max(numbers) + 1) if n not in cursed])
        self.assertEqual(self.part(ship)["set_aside"], 3)

    def test_a_batch_that_is_too_large_is_halved(self):
        peer = HttpPeer()
        peer.behave = lambda request: 413 if len(request.messages) > 3 else 204
        self.start(peer)
        ship = self.ship({"url": peer.url(), "batch": 8, "batch_wait": 10})
        eventually(lambda: len(peer.messages()) >= 16, 20, "16 messages")
        numbers = sequences(peer.messages())
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertEqual(self.part(ship)["set_aside"], 0)

    def test_401_loses_nothing_and_tells_a_person(self):
        peer = HttpPeer()
        token = "Bearer expired"
        peer.behave = lambda request: (401, {}, b"token expired: " + request.headers["authorization"].encode()) \
            if len(peer.requests) <= 1 else 204
        alerts = self.start(HttpPeer())
        self.start(peer)
        ship = self.ship({"url": peer.url(), "headers": {"Authorization": token}}, alerts={"url": alerts.url("/alerts")})
        said = ship.wait_for_log_text("refused", "HTTP 401")
        self.assertEqual(said["level"], "error")
        raised = alerts.wait_for(1)[0].json
        self.assertEqual((raised["rule"], raised["state"], raised["severity"]), ("http-refused", "raised", "critical"))
        peer.wait_for(6, within=20)
        self.assertGreater(peer.requests[1].at - peer.requests[0].at, 3.5)
        numbers = sequences(peer.messages())
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertEqual(alerts.wait_for(2)[1].json["state"], "cleared")
        self.assertNotIn(token, ship.text())
        self.assertEqual(self.part(ship)["set_aside"], 0)

    def test_a_redirect_is_not_followed_and_loses_nothing(self):
        there = self.start(HttpPeer())
        peer = self.start(HttpPeer(behave=lambda request: (308, {"Location": there.url("/v2")})))
        ship = self.ship({"url": peer.url()})
        ship.wait_for_log_text("refused", "HTTP 308", f"http://127.0.0.1:{there.port}")
        self.assertEqual(there.requests, [])
        self.assertEqual(self.part(ship)["set_aside"], 0)

    def test_a_corrected_url_is_used_for_what_waits_too(self):
        good = self.start(HttpPeer())
        bad = self.start(HttpPeer(behave=lambda request: 404))
        ship = self.ship({"url": bad.url("/wrong")})
        ship.wait_for_log_text("refused", "HTTP 404")
        ship.write(communication=c.communication(api_endpoints={"electrical": {"measurements": {"url": good.url("/right")}}}))
        ship.reload()
        good.wait_for(5)
        numbers = sequences(good.messages("/right"))
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_a_slow_endpoint_delays_no_other_and_no_poll(self):
        slow = self.start(HttpPeer(behave=http_peer.stall(20)))
        quick = self.start(HttpPeer())
        site = c.communication(api_endpoints={"electrical": {"measurements": {"url": slow.url()}},
                                              "machine": {"measurements": {"url": quick.url()}}})
        clients = [self.client("a", 1), self.client("b", 2, type="machine")]
        self.start(Lightship(slave_config=c.slaves(c.tcp(self.device.port, *clients)), communication=site))
        slow.wait_for(1)
        began = time.monotonic()
        quick.wait_for(15)
        self.assertLess(time.monotonic() - began, 6)
        self.assertTrue(all(m["age_ms"] < 1500 for m in quick.messages() if m["quality"] == "good"))

    def test_a_reload_tries_at_once(self):
        port = free_port()
        ship = self.ship({"url": f"http://127.0.0.1:{port}/v1"})
        eventually(lambda: len([r for r in ship.log() if r.get("event") == "not delivered, it is tried again"]) >= 4, 20, "a long pause")
        peer = self.start(HttpPeer(port=port))
        ship.reload()
        peer.wait_for(1, within=3)


class TheOrder(EndpointTest):
    def test_alerts_go_before_measurements(self):
        """After an outage of everything: the alert of the endpoint itself comes before what waited for longer."""
        port = free_port()
        peer = HttpPeer(port=port, behave=lambda request: 401 if request.path == "/measurements" else 500)
        self.start(peer)
        ship = self.ship({"url": peer.url("/measurements")}, alerts={"url": peer.url("/alerts")})
        eventually(lambda: self.part(ship)["waiting"] >= 5 and self.part(ship, "http/electrical/alerts")["waiting"] == 1, 15,
                   "measurements and an alert that wait")
        eventually(lambda: len(peer.heard("/alerts")) >= 3, 15, "a longer pause of the alerts")
        before = len(peer.requests)
        peer.behave = lambda request: 204
        ship.reload()
        peer.wait_for(before + 4)
        self.assertEqual([r.path for r in peer.requests[before:before + 2]], ["/alerts", "/measurements"])
        self.assertEqual((peer.requests[before].json["rule"], peer.requests[before].json["state"]), ("http-refused", "raised"))

    def test_each_endpoint_counts_for_itself(self):
        one, two = self.start(HttpPeer()), self.start(HttpPeer())
        site = c.communication(api_endpoints={"electrical": {"measurements": {"url": one.url()}},
                                              "machine": {"measurements": {"url": two.url()}}})
        ship = self.start(Lightship(slave_config=c.slaves(c.tcp(self.device.port, self.client())), communication=site))
        one.wait_for(5)
        ship.write(slave_config=c.slaves(c.tcp(self.device.port, self.client(type="machine"))))
        ship.reload()
        two.wait_for(5)
        self.assertEqual(sequences(two.messages())[:5], [1, 2, 3, 4, 5])

    def test_an_alert_that_still_holds_after_a_restart_is_no_news(self):
        peer, alerts = self.start(HttpPeer(behave=lambda request: 401)), self.start(HttpPeer())
        ship = self.ship({"url": peer.url()}, alerts={"url": alerts.url("/alerts")})
        alerts.wait_for(1)
        told = lambda: all(alert["told"] for alert in json.loads((ship.data / "alerts.json").read_text())["alerts"])
        eventually(lambda: (ship.data / "alerts.json").exists() and told(), 10, "the alert is in the outbox, on disk")
        ship.terminate()
        again = len(ship.log())
        ship.start_again()
        ship.wait_for_log_text("refused", "HTTP 401", after=again)
        time.sleep(1)
        self.assertEqual([r.json["state"] for r in alerts.requests], ["raised"])
        peer.behave = lambda request: 204
        ship.reload()
        self.assertEqual(alerts.wait_for(2)[1].json["state"], "cleared")
        self.assertEqual(alerts.requests[1].json["since"], alerts.requests[0].json["since"])

    def test_numbers_go_on_after_a_stop(self):
        peer = self.start(HttpPeer())
        ship = self.ship({"url": peer.url()})
        peer.wait_for(4)
        ship.terminate()
        ship.start_again()
        count = len(peer.requests)
        peer.wait_for(count + 4)
        numbers = sequences(peer.messages())
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))

    def test_a_stop_delivers_what_waits_and_is_quick(self):
        peer = self.start(HttpPeer())
        ship = self.ship({"url": peer.url(), "batch": 100, "batch_wait": 60})
        time.sleep(1.5)
        self.assertEqual(peer.requests, [])
        self.assertLess(ship.terminate(), 2)
        self.assertGreaterEqual(len(peer.messages()), 4)


class Shapes(EndpointTest):
    def test_flat_has_its_values_beside_the_other_members(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url(), "shape": "flat"})
        eventually(lambda: any(m["quality"] == "good" for m in peer.messages()), 10, "a good message")
        good = next(m for m in peer.messages() if m["quality"] == "good")
        self.assertEqual((good["format"], good["r0"], good["online"]), ("flat/1", modbus.holding(0), True))

    def test_per_point_posts_each_point_to_its_own_url(self):
        peer = self.start(HttpPeer())
        self.ship({"url": peer.url("/{client_id}/{point}"), "shape": "per_point"})
        peer.wait_for(33)
        self.assertEqual({r.path for r in peer.requests[:33]}, {f"/meter/r{i}" for i in range(10)} | {"/meter/online"})
        numbers = [m["sequence"] for m in peer.messages()]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))


class Encrypted(EndpointTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder / "ca")

    def test_with_an_authority_of_our_own(self):
        peer = self.start(HttpPeer(self.authority))
        self.ship({"url": peer.url(), "ca_file": "ca.pem"}, files=[self.authority.ca])
        peer.wait_for(3)
        self.assertEqual(peer.connections, 1)

    def test_a_stranger_is_refused_and_said(self):
        peer = self.start(HttpPeer(self.authority))
        ship = self.ship({"url": peer.url()})
        ship.wait_for_log_text("not delivered", "TLS", "certificate")
        self.assertEqual(peer.requests, [])

    def test_a_certificate_for_another_name_is_refused(self):
        peer = self.start(HttpPeer(self.authority))
        ship = self.ship({"url": peer.url().replace("127.0.0.1", "127.0.0.2"), "ca_file": "ca.pem"}, files=[self.authority.ca])
        ship.wait_for_log_text("not delivered")
        self.assertEqual(peer.requests, [])

    def test_the_check_can_be_left_out(self):
        peer = self.start(HttpPeer(self.authority))
        self.ship({"url": peer.url(), "tls_verify": False})
        peer.wait_for(1)

    def test_with_a_client_certificate(self):
        certificate, key = self.authority.issue("client", "clientAuth")
        peer = self.start(HttpPeer(self.authority, client_certificates=True))
        self.ship({"url": peer.url(), "ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key"},
                  files=[self.authority.ca, certificate, key])
        peer.wait_for(1)

    def test_without_the_client_certificate_that_is_asked_for(self):
        peer = self.start(HttpPeer(self.authority, client_certificates=True))
        ship = self.ship({"url": peer.url(), "ca_file": "ca.pem"}, files=[self.authority.ca])
        ship.wait_for_log_text("not delivered", within=15)
        self.assertEqual(peer.requests, [])


class ThroughAProxy(EndpointTest):
    def test_plain_http_is_passed_on(self):
        peer, proxy = self.start(HttpPeer()), self.start(HttpProxy())
        self.ship({"url": peer.url(), "proxy": f"http://127.0.0.1:{proxy.port}"})
        peer.wait_for(2)
        self.assertIn(f"POST {peer.url()} HTTP/1.1", proxy.seen)

    def test_https_goes_through_a_tunnel(self):
        authority = Authority(self.folder / "ca")
        peer, proxy = self.start(HttpPeer(authority)), self.start(HttpProxy())
        self.ship({"url": peer.url(), "ca_file": "ca.pem", "proxy": f"http://127.0.0.1:{proxy.port}"}, files=[authority.ca])
        peer.wait_for(2)
        self.assertEqual(proxy.seen, [f"CONNECT 127.0.0.1:{peer.port} HTTP/1.1"])

    def test_with_a_password_that_is_never_said(self):
        peer, proxy = self.start(HttpPeer()), self.start(HttpProxy(users={"joe": "open-sesame"}))
        ship = self.ship({"url": peer.url(), "proxy": f"http://127.0.0.1:{proxy.port}", "proxy_username": "joe",
                          "proxy_password": "open-sesame"})
        peer.wait_for(2)
        self.assertNotIn("open-sesame", ship.text() + ship.get("/api/status").body)

    def test_a_proxy_that_refuses_us_is_named(self):
        authority = Authority(self.folder / "ca")
        peer, proxy = self.start(HttpPeer(authority)), self.start(HttpProxy(users={"joe": "open-sesame"}))
        ship = self.ship({"url": peer.url(), "ca_file": "ca.pem", "proxy": f"http://joe:wrong-word@127.0.0.1:{proxy.port}"},
                         files=[authority.ca])
        ship.wait_for_log_text("refused", "proxy", "407")
        self.assertNotIn("wrong-word", ship.text() + ship.get("/api/status").body)

    def test_the_environment_may_name_it(self):
        peer, proxy = self.start(HttpPeer()), self.start(HttpProxy())
        self.ship({"url": peer.url()}, env={"http_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": "", "NO_PROXY": ""})
        peer.wait_for(2)
        self.assertTrue(proxy.seen)

    def test_none_goes_past_that_of_the_environment(self):
        peer, proxy = self.start(HttpPeer()), self.start(HttpProxy())
        self.ship({"url": peer.url(), "proxy": "none"}, env={"http_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": ""})
        peer.wait_for(2)
        self.assertEqual(proxy.seen, [])


class Secrets(EndpointTest):
    def test_are_sent_and_shown_nowhere(self):
        peer = self.start(HttpPeer(behave=lambda request: (500, {}, json.dumps(request.headers).encode())))
        site = (f"device_id: testsite\ncommunication:\n  api_endpoints:\n    electrical:\n      measurements:\n"
                f"        url: http://joe:url-password@127.0.0.1:{peer.port}/hook?key=query-secret\n"
                f"        headers: {{Authorization: !secret token, X-Key: !env LIGHTSHIP_TEST_KEY}}\n")
        ship = Lightship(slave_config=c.slaves(c.tcp(self.device.port, self.client())), communication=site,
                         secrets={"token": "Bearer very-secret-token"}, env={"LIGHTSHIP_TEST_KEY": "key-from-outside"},
                         options=("--log-level", "debug"))
        (ship.config / "secrets.yaml").chmod(0o600)
        self.start(ship)
        request = peer.wait_for(2)[0]
        self.assertEqual(request.headers["authorization"], "Bearer very-secret-token")
        self.assertEqual(request.headers["x-key"], "key-from-outside")
        ship.wait_for_log_text("not delivered")
        told = ship.text() + ship.get("/api/status").body + ship.get("/metrics").body + ship.get("/").body
        for secret in ("very-secret-token", "key-from-outside", "url-password", "query-secret"):
            self.assertNotIn(secret, told)

"""Configurations in few words: what a test does not care about has a default that suits tests."""


def registers(count=10, function=3, at=0, **more):
    """`count` uint16 points r0, r1, ... of one function."""
    return {f"r{i}": {"address": at + i, "function": function, "data_type": "uint16", **more} for i in range(count)}


def client(name="meter", unit=1, points=None, **more):
    return {"id": name, "type": "electrical", "unit_id": unit, "poll_interval": 0.2, "mqtt_enabled": True, "mqtt_interval": 0.2,
            "registers": points if points is not None else registers(), **more}


def tcp(port, *clients, name="main", **more):
    return {"id": name, "connection_type": "tcp", "host": "127.0.0.1", "port": port, "timeout": 0.5, "retries": 1,
            "clients": list(clients or [client()]), **more}


def serial(path, *clients, name="line", **more):
    return {"id": name, "connection_type": "serial", "port": str(path), "baud_rate": 9600, "parity": "N", "stop_bits": 1,
            "timeout": 0.5, "retries": 1, "clients": list(clients or [client()]), **more}


def slaves(*connections):
    return {"connections": list(connections)}


MEASUREMENTS = "site/{connection_id}/{client_id}"
STATUS = "lightship/testsite/status"


def mqtt(port, **more):
    return {"host": "127.0.0.1", "port": port, "keepalive": 5, "topics": {"electrical": {"measurements": MEASUREMENTS}}, **more}


def gateway(port, **more):
    return {"enabled": True, "host": "127.0.0.1", "port": port, **more}


def communication(mqtt_config=None, modbus_tcp_gateway=None, **more):
    parts = {"mqtt_config": mqtt_config, "modbus_tcp_gateway": modbus_tcp_gateway, **more}
    return {"device_id": "testsite", "communication": {k: v for k, v in parts.items() if v is not None}}

"""Scenarios for the Paho client. Usage: paho_scenarios.py SCENARIO VERSION PORT [ca]. Ends with code 0 when all went well."""
import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE = 30
scenario, version, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
authority = sys.argv[4] if len(sys.argv) > 4 else None


class Client:
    def __init__(self, name, clean=True, transport="tcp", will=None):
        protocol = mqtt.MQTTv5 if version == 5 else mqtt.MQTTv311
        settings = {} if version == 5 else {"clean_session": clean}
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=protocol, transport=transport, **settings
        )
        self.events = {name: queue.Queue() for name in ("connect", "subscribe", "publish", "message", "disconnect")}
        self.client.on_connect = lambda c, u, flags, reason, p: self.events["connect"].put((flags, reason))
        self.client.on_subscribe = lambda c, u, mid, reasons, p: self.events["subscribe"].put(reasons)
        self.client.on_publish = lambda c, u, mid, reason, p: self.events["publish"].put(mid)
        self.client.on_message = lambda c, u, message: self.events["message"].put(message)
        self.client.on_disconnect = lambda c, u, flags, reason, p: self.events["disconnect"].put(reason)
        if will is not None:
            self.client.will_set(will, b"gone", qos=1)
        if transport == "websockets":
            self.client.ws_set_options(path="/mqtt")
        if authority is not None:
            self.client.tls_set(ca_certs=authority)
        settings = {}
        if version == 5:
            properties = Properties(PacketTypes.CONNECT)
            if not clean:
                properties.SessionExpiryInterval = 100
            settings = {"clean_start": clean, "properties": properties}
        self.client.connect("localhost" if authority else "127.0.0.1", port, keepalive=30, **settings)
        self.client.loop_start()
        self.flags, reason = self.wait("connect")
        assert not reason.is_failure, reason

    def wait(self, event):
        return self.events[event].get(timeout=PATIENCE)

    def subscribe(self, topic, qos=2):
        self.client.subscribe(topic, qos)
        reasons = self.wait("subscribe")
        assert [reason.value for reason in reasons] == [qos], reasons

    def publish(self, topic, payload, qos=1, retain=False, properties=None):
        self.client.publish(topic, payload, qos, retain, properties)
        self.wait("publish")

    def payloads(self, count):
        return [self.wait("message").payload.decode() for _ in range(count)]

    def end(self):
        self.client.disconnect()
        self.wait("disconnect")
        self.client.loop_stop()


def each_qos(transport="tcp"):
    client = Client("c", transport=transport)
    client.subscribe("a/#")
    for qos in (0, 1, 2):
        client.publish("a/b", str(qos), qos)
    assert client.payloads(3) == ["0", "1", "2"]
    client.end()


def retained():
    publisher = Client("p")
    publisher.publish("kept", "value", 1, True)
    late = Client("l")
    late.subscribe("kept", 1)
    message = late.wait("message")
    assert message.payload == b"value" and message.retain
    publisher.publish("kept", b"", 1, True)
    publisher.end()
    late.end()


def will():
    watcher = Client("w")
    watcher.subscribe("wills/x", 1)
    mortal = Client("m", will="wills/x")
    mortal.client.loop_stop()
    mortal.client.socket().close()
    assert watcher.payloads(1) == ["gone"]
    watcher.end()


def waiting_session():
    first = Client("s", clean=False)
    first.subscribe("a")
    first.end()
    publisher = Client("p")
    for index in range(20):
        publisher.publish("a", str(index), 1 if index < 10 else 2)
    publisher.end()
    second = Client("s", clean=False)
    assert second.flags.session_present
    assert second.payloads(20) == [str(index) for index in range(20)]
    second.end()


def shared():
    members = [Client("m1"), Client("m2")]
    for member in members:
        member.subscribe("$share/g/a", 1)
    publisher = Client("p")
    for index in range(20):
        publisher.publish("a", str(index))
    received = []
    for member in members:
        member.client.unsubscribe("none")
    while len(received) < 20:
        for member in members:
            try:
                received.append(member.events["message"].get(timeout=0.2).payload)
            except queue.Empty:
                pass
    assert len(set(received)) == 20
    for client in [*members, publisher]:
        client.end()


def properties():
    client = Client("c")
    client.subscribe("a", 1)
    sent = Properties(PacketTypes.PUBLISH)
    sent.ContentType = "text/plain"
    sent.UserProperty = [("b", "1"), ("a", "2"), ("b", "3")]
    sent.MessageExpiryInterval = 60
    client.publish("a", "x", 1, False, sent)
    got = client.wait("message").properties
    assert got.ContentType == "text/plain"
    assert got.UserProperty == [("b", "1"), ("a", "2"), ("b", "3")], got.UserProperty
    assert 0 < got.MessageExpiryInterval <= 60
    client.end()


{
    "each_qos": each_qos,
    "retained": retained,
    "will": will,
    "waiting_session": waiting_session,
    "shared": shared,
    "properties": properties,
    "tls": each_qos,
    "websocket": lambda: each_qos("websockets"),
}[scenario]()
print("passed")

"""What the tests of the Python API run in each place: served over gRPC, and in the driver's process."""

import asyncio

import hookmq

app = hookmq.App()


@app.on_load
def load(broker: hookmq.BrokerInfo) -> None:
    print("loaded")


@app.on_unload
def unload() -> None:
    print("unloaded")


@app.on_client_authenticate
def authenticate(client: hookmq.Credentials) -> hookmq.AccessVerdict:
    if client.username == "stranger":
        return False
    return True if client.password == "wonderland" else None


@app.on_client_authorize
def authorize(request: hookmq.AccessRequest) -> hookmq.AccessVerdict:
    if request.topic.startswith("secret/"):
        return request.client.username == "alice"
    return None


@app.on_client_connected
def connected(client: hookmq.ClientInfo) -> None:
    print("connected", client.client_id, client.peerhost)


@app.on_client_disconnected
async def disconnected(event: hookmq.Disconnected) -> None:
    print("disconnected", event.client.client_id, event.reason)


@app.on_message_publish(topics=["change/#"])
def change(message: hookmq.Message) -> hookmq.PublishVerdict:
    what = message.topic.split("/")[1]
    if what == "payload":
        return message.replace(payload=message.text.upper())
    if what == "everything":
        return message.replace(
            topic="changed/everything",
            payload="new",
            qos=0,
            retain=True,
            content_type="text/plain",
            response_topic="answers",
            correlation_data=b"\x00\xff",
            message_expiry_interval=77,
            payload_format_indicator=1,
            user_properties=(*message.user_properties, ("by", "hooks")),
        )
    if what == "nothing":
        return hookmq.Stop()
    return None


@app.on_message_publish(topics=["refuse/#"])
def refuse(message: hookmq.Message) -> hookmq.PublishVerdict:
    return {
        "refuse/drop": hookmq.Drop("not wanted"),
        "refuse/reject": hookmq.Reject(0x97, "at most nothing"),
        "refuse/disconnect": hookmq.Disconnect(0x98),
    }.get(message.topic)


@app.on_message_publish(topics=["slow/#"])
async def slow(message: hookmq.Message) -> hookmq.PublishVerdict:
    await asyncio.sleep(0.01 if message.text == "0" else 0)
    return message.replace(payload=message.text + " checked")


@app.on_message_publish(topics=["broken"])
def broken(message: hookmq.Message) -> hookmq.PublishVerdict:
    raise ValueError("out of order")

"""my-plugin: hooks for the HookMQ broker. One file, two places: a child process of the broker, or a gRPC server anywhere."""

import hookmq

app = hookmq.App()


@app.on_client_connected
def connected(client: hookmq.ClientInfo) -> None:
    print(f"{client.client_id} is here, from {client.peerhost}")


@app.on_message_publish(topics=["orders/#"])
def small_orders_only(message: hookmq.Message) -> hookmq.PublishVerdict:
    if len(message.payload) > 1024:
        return hookmq.Reject(0x97, "an order has at most 1024 bytes")
    return message.replace(user_properties=(*message.user_properties, ("checked-by", "my-plugin")))


@app.on_client_authorize
async def private_topics(request: hookmq.AccessRequest) -> hookmq.AccessVerdict:
    if not request.topic.startswith("private/"):
        return None  # left to others
    return request.topic == f"private/{request.client.username}"

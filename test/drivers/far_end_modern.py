"""An app of the hookmq package."""

import asyncio

import far_end
from hookmq import Allow, App, Continue, Deny, Disconnect, Drop, Reject, Stop

app = App()


@app.on_load
def load(broker):
    far_end.note("load")
    if "refuseLoad" in far_end.script:
        raise RuntimeError(far_end.script["refuseLoad"])


@app.on_unload
def unload():
    far_end.note("unload")


def add(hook):
    name = hook["name"]
    point = {"client.check_acl": "client.authorize"}.get(name, name)

    async def callback(event):
        client = getattr(event, "client", event)
        message = getattr(event, "message", event)
        who = getattr(client, "client_id", None) or getattr(message, "from_client", "")
        topic = getattr(message, "topic", None) or getattr(getattr(event, "subscription", None), "filter", None)
        far_end.received(point, who, topic)
        answer = far_end.answer(point)
        kind = answer["do"]
        if kind == "hold":
            while not far_end.is_released():
                await asyncio.sleep(0.002)
        if kind == "throw":
            raise RuntimeError("scripted")
        if kind == "payload":
            changed = event.replace(payload=answer["payload"])
            return Stop(changed) if answer.get("stop") else Continue(changed)
        verdicts = {
            "allow": Allow,
            "deny": Deny,
            "drop": Drop,
            "reject": lambda: Reject(answer["code"]),
            "disconnect": lambda: Disconnect(answer["code"]),
        }
        return verdicts[kind]() if kind in verdicts else None

    app.hook(name, topics=hook.get("topics") or [])(callback)


for one in far_end.script["hooks"]:
    add(one)

"""The far end of the conformance suite: does what script.json says, and writes down what reaches it."""

import json
import os
import time

_folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(_folder, "script.json"), encoding="utf-8") as file:
    script = json.load(file)


def note(line):
    descriptor = os.open(os.path.join(_folder, "notes"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, (json.dumps(line) + "\n").encode())
    os.close(descriptor)


def received(point, client, topic):
    note({"point": point, "clientId": client, **({} if topic is None else {"topic": topic})})


def answer(point):
    return script.get("answers", {}).get(point, {"do": "continue"})


def is_released():
    return os.path.exists(os.path.join(_folder, "released"))


def hold():
    while not is_released():
        time.sleep(0.002)

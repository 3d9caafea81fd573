"""Topic filters as MQTT has them."""

from __future__ import annotations

from typing import Callable, Optional, Sequence


def check_filter(topic_filter: object) -> Optional[str]:
    """What is wrong with a topic filter; None when nothing is."""
    if not isinstance(topic_filter, str):
        return f"expected text, got {type(topic_filter).__name__}"
    if not topic_filter:
        return "is empty"
    levels = topic_filter.split("/")
    for index, level in enumerate(levels):
        if level == "#" and index != len(levels) - 1:
            return "'#' is allowed as the last level only"
        if level not in ("#", "+") and ("#" in level or "+" in level):
            return "'#' and '+' must have a level of their own"
    return None


def matches(topic_filter: str, topic: str) -> bool:
    """Does a filter match a topic name? A wildcard at the start does not match a ``$`` there [MQTT-4.7.2-1]."""
    filters = topic_filter.split("/")
    levels = topic.split("/")
    if levels[0][:1] == "$" and filters[0] in ("#", "+"):
        return False
    for index, level in enumerate(filters):
        if level == "#":
            return True
        if index >= len(levels) or (level != "+" and level != levels[index]):
            return False
    return len(filters) == len(levels)


def matcher(filters: Sequence[str], bound: int = 4096) -> Callable[[str], bool]:
    """Does any of the filters match? Remembers the answer for at most ``bound`` topics."""
    known: dict[str, bool] = {}

    def match(topic: str) -> bool:
        answer = known.get(topic)
        if answer is None:
            answer = any(matches(one, topic) for one in filters)
            if len(known) >= bound:
                known.clear()
            known[topic] = answer
        return answer

    return match

"""What pytest finds when this package is installed: the fixture ``play_hooks``."""

from __future__ import annotations

from typing import Callable, Iterator, List, Union

import pytest

from ..app import App
from . import Play


@pytest.fixture
def play_hooks() -> Iterator[Callable[[Union[App, str]], Play]]:
    """``play = play_hooks(app)``: the hooks are loaded now and unloaded after the test."""
    played: List[Play] = []

    def start(app: Union[App, str]) -> Play:
        play = Play(app)
        play.load()
        played.append(play)
        return play

    yield start
    for play in reversed(played):
        play.unload()

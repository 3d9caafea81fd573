from hookmq.testing import Play

from hooks import app


def test_orders_are_checked() -> None:
    outcome = Play(app).publish("orders/1", "two pumps")
    assert outcome.message.user_properties == (("checked-by", "my-plugin"),)


def test_large_orders_are_refused() -> None:
    outcome = Play(app).publish("orders/1", "x" * 1025)
    assert (outcome.published, outcome.reason_code) == (False, 0x97)


def test_other_topics_are_left_alone() -> None:
    assert Play(app).publish("news", "x" * 1025).verdict is None


def test_private_topics() -> None:
    play = Play(app)
    assert play.authorize("subscribe", "private/alice", username="alice").allowed is True
    assert play.authorize("subscribe", "private/alice", username="bob").allowed is False
    assert play.authorize("subscribe", "public", username="bob").allowed is None

"""Several moves and presses at the same moment, on real connections."""

from collections.abc import Callable
from functools import partial

import pytest

from subscribers import account_links, address_changes, lifecycle
from subscribers.addresses import address_hash
from subscribers.consent import Trace
from subscribers.links import address_binding
from subscribers.models import AddressChange, ConsentEvent, Subscriber, SystemMail
from tests.cast import NOON, a_reader, the_wording
from tests.subscribers.test_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TRACE = Trace("test")
NEW = "new@example.org"
BINDING = address_binding(address_hash(NEW))


def wishing(address: str) -> Subscriber:
    """Return a reader who may move to NEW once its owner agrees."""
    reader = a_reader(address)
    AddressChange.objects.create(
        subscriber=reader, address=NEW, address_key=NEW, address_hash=address_hash(NEW), asked_at=NOON
    )
    return reader


def test_of_several_readers_who_move_to_one_address_at_once_one_gets_it() -> None:
    readers = [wishing(f"reader{number}@example.org") for number in range(4)]
    moves = [partial(address_changes.agree, r.public_id, BINDING, at=NOON, trace=TRACE) for r in readers]
    assert sorted(map(str, at_once(*moves))) == ["False"] * 3 + ["True"]
    assert Subscriber.objects.filter(address_key=NEW).count() == 1
    kinds = list(SystemMail.objects.values_list("kind", flat=True))
    assert kinds == [SystemMail.Kind.ADDRESS_CHANGED]


def test_a_press_repeated_at_once_moves_once_and_tells_the_old_address_once() -> None:
    reader = wishing("ada@example.org")
    deed = partial(address_changes.agree, reader.public_id, BINDING, at=NOON, trace=TRACE)
    assert at_once(deed, deed, deed) == [True] * 3
    assert ConsentEvent.objects.filter(kind=ConsentEvent.Kind.CONFIRMED).count() == 1
    assert [mail.to for mail in SystemMail.objects.all()] == ["ada@example.org"]


def test_moving_to_an_address_that_signs_up_at_the_same_moment_makes_one_reader_of_it() -> None:
    the_wording()
    reader = wishing("ada@example.org")
    deeds: list[Callable[[], object]] = [
        partial(address_changes.agree, reader.public_id, BINDING, at=NOON, trace=TRACE),
        partial(lifecycle.sign_up, NEW, [], at=NOON, trace=TRACE),
    ]
    results = at_once(*deeds)
    assert not [result for result in results if isinstance(result, Exception)]
    assert Subscriber.objects.filter(address_key=NEW).count() == 1


def test_one_address_that_several_readers_ask_at_once_gets_one_mail() -> None:
    the_wording()
    readers = [a_reader(f"reader{number}@example.org") for number in range(8)]
    deeds = [partial(address_changes.ask, r.public_id, NEW, at=NOON, trace=TRACE) for r in readers]
    assert at_once(*deeds) == [None] * 8
    assert ConsentEvent.objects.filter(kind=ConsentEvent.Kind.REQUESTED).count() == 1


def test_coming_back_pressed_several_times_at_once_is_one_step() -> None:
    reader = a_reader("ada@example.org")
    lifecycle.unsubscribe(reader.public_id, at=NOON, trace=TRACE)
    back = partial(lifecycle.resume, reader.public_id, left_at=NOON, at=NOON, trace=TRACE)
    at_once(back, back, back)
    kinds = ConsentEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["withdrawn", "resumed"]


def test_the_button_for_a_fresh_link_pressed_several_times_at_once_mails_one() -> None:
    reader = a_reader("ada@example.org")
    at_once(*[partial(account_links.mail_link, reader.public_id, at=NOON)] * 4)
    assert SystemMail.objects.count() == 1

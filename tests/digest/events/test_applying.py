"""What events do: facts in any order, suppression where it is deserved, unknown outcomes settled."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine

from digest.delivery import settling
from digest.delivery.balance import balance
from digest.events import applying
from digest.events.applying import apply_waiting
from digest.models import BounceVerdict, Delivery, Edition, ProviderEvent
from subscribers.models import Subscriber, Suppression, SystemMail
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.digest.events.conftest import ADDRESS, Send, accepted
from tests.digest.events.posts import Post, brevo, postmark

pytestmark = pytest.mark.django_db

Heard = Callable[..., None]
MINUTE = timedelta(minutes=1)
State = Delivery.State


def named(delivery: Delivery) -> dict[str, str]:
    return {"delivery": delivery.public_id}


def state_of(delivery: Delivery) -> str:
    return Delivery.objects.get(pk=delivery.pk).state


def status_of(delivery: Delivery) -> str:
    assert delivery.subscriber
    return Subscriber.objects.get(pk=delivery.subscriber.pk).status


def test_facts_keep_the_first_time_they_were_told_for(heard: Heard, delivery: Delivery) -> None:
    for minute in (5, 3, 9):
        heard(brevo("delivered", named(delivery), ADDRESS, NOON + minute * MINUTE - timedelta(days=300)))
    delivery.refresh_from_db()
    assert delivery.delivered_at == NOON + 3 * MINUTE - timedelta(days=300)
    assert (delivery.bounced_at, delivery.soft_bounced_at, delivery.complained_at) == (None, None, None)


@pytest.mark.parametrize(
    ("what", "fact", "reason"),
    [
        ("delivered", "delivered_at", None),
        ("full", "soft_bounced_at", None),
        ("policy", "bounced_at", None),
        ("gone", "bounced_at", "bounce"),
        ("complained", "complained_at", "complaint"),
    ],
)
def test_a_dead_mailbox_and_a_complaint_stop_all_mail_and_nothing_else_does(
    heard: Heard, delivery: Delivery, what: str, fact: str, reason: str | None
) -> None:
    heard(postmark(what, named(delivery), ADDRESS))
    delivery.refresh_from_db()
    assert getattr(delivery, fact) == NOON
    found = Suppression.objects.values_list("address_hash", "reason", "source")
    expected = [(delivery.address_hash, reason, f"delivery {delivery.public_id}")] if reason else []
    assert list(found) == expected
    assert status_of(delivery) == ("suppressed" if reason else "active")
    assert delivery.state == State.ACCEPTED, "the wire took it, whatever came of it"


def test_who_unsubscribes_at_the_provider_has_left(heard: Heard, delivery: Delivery) -> None:
    heard(postmark("left", named(delivery), ADDRESS))
    delivery.refresh_from_db()
    assert (status_of(delivery), delivery.left_at) == ("unsubscribed", NOON)
    assert not Suppression.objects.exists()


def test_a_bounce_speaks_of_the_address_written_to_not_of_the_one_moved_to(
    heard: Heard, delivery: Delivery
) -> None:
    other = a_reader("new@example.org")
    Subscriber.objects.filter(pk=other.pk).delete()
    Subscriber.objects.update(address_hash=other.address_hash)
    heard(postmark("gone", named(delivery), ADDRESS))
    assert status_of(delivery) == "active"
    assert Suppression.objects.get().address_hash == delivery.address_hash


def test_an_erased_readers_complaint_is_still_obeyed(heard: Heard, delivery: Delivery) -> None:
    assert delivery.subscriber
    delivery.subscriber.delete()
    heard(postmark("complained", named(delivery), ADDRESS))
    assert Suppression.objects.get().reason == "complaint"


def test_a_mail_of_the_house_that_finds_no_mailbox_stops_all_mail_there(heard: Heard) -> None:
    reader = a_reader(ADDRESS, status="pending")
    mail = SystemMail.objects.create(subscriber=reader, kind="confirm", created_at=NOON, not_before=NOON)
    moved = SystemMail.objects.create(
        subscriber=reader, kind="new_address", to="new@example.org", created_at=NOON, not_before=NOON
    )
    heard(postmark("gone", {"system_mail": moved.public_id}, "new@example.org"))
    assert Subscriber.objects.get().status == "pending"
    heard(postmark("gone", {"system_mail": mail.public_id}, ADDRESS, serial=2))
    assert Subscriber.objects.get().status == "suppressed"
    assert Suppression.objects.count() == 2


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (["delivered"], State.ACCEPTED),
        (["complained"], State.ACCEPTED),
        (["full"], State.ACCEPTED),
        (["gone"], State.REJECTED),
        (["policy"], State.REJECTED),
        (["policy", "delivered"], State.ACCEPTED),
        (["delivered", "gone"], State.ACCEPTED),
        (["full", "gone"], State.REJECTED),
    ],
)
def test_an_unknown_outcome_is_settled_by_all_the_evidence_in_any_order(
    heard: Heard, told: list[str], state: str
) -> None:
    first = accepted(state=State.UNKNOWN)
    posts = [postmark(what, named(first), ADDRESS, serial=n) for n, what in enumerate(told)]
    heard(*posts)
    assert state_of(first) == state
    assert state_of(first) != State.UNKNOWN
    Delivery.objects.update(state=State.UNKNOWN, detail="")
    ProviderEvent.objects.all().delete()
    for one in reversed(posts):
        heard(one)
    assert state_of(first) == state
    Edition.objects.update(enrolled=1)
    assert balance(first.edition).exact


def test_the_wires_own_word_is_not_overruled(heard: Heard) -> None:
    first = accepted(state=State.REJECTED)
    heard(postmark("delivered", named(first), ADDRESS))
    assert state_of(first) == State.REJECTED


@pytest.mark.parametrize(
    "ended",
    [State.READY, State.CLAIMED, State.DEFERRED, State.EXPIRED, State.CANCELLED, State.SKIPPED_PAUSED],
)
def test_what_was_let_go_again_and_had_arrived_after_all_is_accepted_whatever_became_of_its_wait(
    heard: Heard, ended: str
) -> None:
    first = accepted(state=ended)  # submitted once, then unknown, then let go again by hand
    heard(postmark("delivered", named(first), ADDRESS))
    assert state_of(first) == State.ACCEPTED
    Edition.objects.update(enrolled=1)
    assert balance(first.edition).exact


def test_what_never_left_or_only_bounced_is_not_called_accepted(heard: Heard) -> None:
    first = accepted(state=State.EXPIRED)
    heard(postmark("full", named(first), ADDRESS))
    assert state_of(first) == State.EXPIRED
    Delivery.objects.update(submitted_at=None)
    heard(postmark("delivered", named(first), ADDRESS, serial=2))
    assert state_of(first) == State.EXPIRED


def test_of_two_digests_of_one_date_the_newer_stays_the_one_that_counts(heard: Heard) -> None:
    first = accepted(state=State.EXPIRED)
    newer = a_frozen_edition(NOON.date() + timedelta(days=1), a_paper(), state="sending")
    Delivery.objects.create(
        edition=newer,
        subscriber=first.subscriber,
        address_hash=first.address_hash,
        local_date=first.local_date,
        not_before=NOON,
        expires_at=NOON,
    )
    heard(postmark("delivered", named(first), ADDRESS))
    assert state_of(first) == State.EXPIRED
    assert ProviderEvent.objects.get().applied_at is not None


def test_a_word_that_comes_while_the_message_is_on_the_wire_waits_and_is_not_lost(heard: Heard) -> None:
    first = accepted(state=State.SUBMITTING)
    Delivery.objects.update(lease_until=NOON + MINUTE)
    heard(postmark("delivered", named(first), ADDRESS))
    assert ProviderEvent.objects.get().applied_at is None
    settling.sweep(at=NOON + 2 * MINUTE)  # its worker died
    assert state_of(first) == State.UNKNOWN
    assert apply_waiting(at=NOON + 3 * MINUTE) == 1
    assert state_of(first) == State.ACCEPTED


def unnamed(what: str) -> Post:
    """Return a post of a provider that keeps no metadata: it knows the mail by its own name alone."""
    said = json.loads(postmark(what, {}, ADDRESS).body)
    return Post("postmark", json.dumps({**said, "MessageID": "name-of-theirs"}).encode())


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    ("what", "status"), [("gone", "suppressed"), ("complained", "suppressed"), ("delivered", "active")]
)
def test_a_word_under_the_providers_name_waits_till_the_delivery_has_learnt_it(
    heard: Heard, what: str, status: str
) -> None:
    first = accepted(state=State.SUBMITTING)
    Delivery.objects.update(provider_id="", lease_until=NOON + MINUTE)
    heard(unnamed(what))
    assert ProviderEvent.objects.get().applied_at is None
    Delivery.objects.update(state=State.ACCEPTED, provider_id="name-of-theirs", lease_until=None)
    assert apply_waiting(at=NOON + MINUTE) == 1
    assert ProviderEvent.objects.get().delivery == first
    assert Delivery.objects.exclude(delivered_at=None, bounced_at=None, complained_at=None).exists()
    assert status_of(first) == status


@time_machine.travel(NOON, tick=False)
def test_a_word_under_a_name_that_nobody_learns_waits_a_quarter_of_an_hour_and_has_no_effect(
    heard: Heard,
) -> None:
    first = accepted()
    other = a_reader("other@example.org")
    Delivery.objects.update(provider_id="name-of-theirs", address_hash=other.address_hash)
    heard(unnamed("gone"))
    assert apply_waiting(at=NOON + 14 * MINUTE) == 0
    assert apply_waiting(at=NOON + 15 * MINUTE) == 1
    assert ProviderEvent.objects.get().delivery is None
    assert status_of(first) == "active"


@pytest.mark.django_db(transaction=True)
def test_what_one_worker_has_applied_has_no_effect_again_when_a_second_comes_late(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = accepted()
    assert first.subscriber
    inner = applying._apply

    def late(page: Sequence[Any], at: datetime) -> int:
        """Another worker is quicker, and then the reader takes leaving back."""
        inner(page, at)
        assert status_of(first) == "unsubscribed"
        Subscriber.objects.update(status="active")
        return inner(page, at)

    monkeypatch.setattr(applying, "_apply", late)
    heard(postmark("left", named(first), ADDRESS))
    assert status_of(first) == "active"


def final_state() -> list[Any]:
    return [
        list(Delivery.objects.values().order_by("pk")),
        list(Suppression.objects.values("address_hash", "reason").order_by("address_hash")),
        list(Subscriber.objects.values("public_id", "status").order_by("pk")),
    ]


def test_events_shuffled_and_doubled_come_to_one_final_state(post: Send) -> None:
    first = accepted(state=State.UNKNOWN)
    others = []
    for number in range(7):
        reader = a_reader(f"reader{number}@example.net")
        others.append(
            Delivery.objects.create(
                edition=first.edition,
                subscriber=reader,
                address_hash=reader.address_hash,
                state=[State.ACCEPTED, State.UNKNOWN, State.REJECTED][number % 3],
                local_date=NOON.date(),
                not_before=NOON,
                expires_at=NOON,
            )
        )
    start = list(Delivery.objects.values())
    chance, serial, posts = random.Random(4), 0, []
    for delivery in (first, *others):
        assert delivery.subscriber
        for what in chance.sample(["delivered", "full", "gone", "policy", "complained"], 3):
            serial += 1
            at = NOON + serial * MINUTE - timedelta(days=300)
            posts.append(postmark(what, named(delivery), delivery.subscriber.address, at, serial))
    states = []
    for seed in range(12):
        ProviderEvent.objects.all().delete()
        Suppression.objects.all().delete()
        BounceVerdict.objects.all().delete()
        Subscriber.objects.update(status="active", status_at=NOON)
        for row in start:
            Delivery.objects.filter(pk=row["id"]).update(**row)
        order = [one for one in posts for _ in range(random.Random(seed).choice([1, 2, 3]))]
        random.Random(seed).shuffle(order)
        for number, one in enumerate(order):
            assert post(one).status_code == 200
            if number % (seed + 1) == 0:
                apply_waiting(at=NOON)
        apply_waiting(at=NOON)
        apply_waiting(at=NOON)
        assert not ProviderEvent.objects.filter(applied_at=None).exists()
        states.append(final_state())
    assert all(state == states[0] for state in states[1:])


def test_an_event_that_cannot_be_applied_holds_up_no_other(heard: Heard, delivery: Delivery) -> None:
    rows = {"provider": "postmark", "at": NOON, "received_at": NOON, "delivery": delivery}
    ProviderEvent.objects.create(key="1", kind="nonsense", **rows)
    ProviderEvent.objects.create(key="2", kind="delivered", **rows)
    assert apply_waiting(at=NOON) == 1
    delivery.refresh_from_db()
    assert delivery.delivered_at == NOON
    assert ProviderEvent.objects.get(applied_at=None).kind == "nonsense"
    heard()


def test_many_events_are_applied_in_few_statements(
    delivery: Delivery, django_assert_max_num_queries: Any
) -> None:
    ProviderEvent.objects.bulk_create(
        ProviderEvent(
            provider="postmark",
            key=str(number),
            kind="delivered",
            delivery=delivery,
            at=NOON + number * MINUTE,
            received_at=NOON,
        )
        for number in range(100)
    )
    with django_assert_max_num_queries(12):
        assert apply_waiting(at=NOON) == 100

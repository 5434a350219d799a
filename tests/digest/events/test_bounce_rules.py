"""Bounces: a dead mailbox at once, a full one at three of five, nobody while a whole mail domain falls."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from digest import forgetting, verdicts
from digest.delivery import settling
from digest.delivery.sending import Prepared
from digest.events.applying import apply_waiting
from digest.models import BounceVerdict, Delivery, Edition
from subscribers import lifecycle, links
from subscribers.addresses import domain_key
from subscribers.consent import Trace
from subscribers.models import ConsentEvent, Subscriber, Suppression, SystemMail
from subscribers.outcomes import Fate, Outcome
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.digest.events.conftest import ADDRESS, Send
from tests.digest.events.posts import postmark
from tests.subscribers.door.visits import path

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
State = BounceVerdict.State
Told = Callable[[Delivery, str], None]
DEAD = Outcome(Fate.REJECTED, "550 5.1.1 no such user", address_is_bad=True, refused=True)
POLICY = Outcome(Fate.REJECTED, "550 5.7.1 refused", refused=True)
FULL = Outcome(Fate.REJECTED, "552 5.2.2 over quota", refused=True)
OURS = Outcome(Fate.REJECTED, "this message cannot be written")


def a_delivery(reader: Subscriber, day: date, *, at: datetime, state: str = "accepted") -> Delivery:
    edition = Edition.objects.filter(day=day).first() or a_frozen_edition(day, state="sending")
    return Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        domain_key=domain_key(reader.address.rpartition("@")[2]),
        state=state,
        local_date=day,
        not_before=at,
        expires_at=at,
        submitted_at=at,
        settled_at=None if state == "submitting" else at,
    )


@pytest.fixture
def told(post: Send) -> Told:
    """Let Postmark tell something of a delivery, and apply it."""
    serial = 0

    def tell(delivery: Delivery, what: str) -> None:
        nonlocal serial
        serial += 1
        assert delivery.subscriber
        at = min(delivery.submitted_at or NOON, NOON)
        one = postmark(what, {"delivery": delivery.public_id}, delivery.subscriber.address, at, serial)
        assert post(one).status_code == 200
        apply_waiting(at=NOON)

    return tell


def pause_of(reader: Subscriber) -> tuple[date | None, str]:
    reader.refresh_from_db()
    return reader.paused_until, reader.paused_because


def days(reader: Subscriber, many: int) -> list[Delivery]:
    """Return a digest a day, the last one of today."""
    return [a_delivery(reader, (NOON - n * DAY).date(), at=NOON - n * DAY) for n in reversed(range(many))]


@pytest.mark.parametrize(
    ("heard", "paused"),
    [
        ("fff", True),
        ("ff", False),
        ("f-f-f", True),
        ("f--f-f", False),
        ("ffd", False),
        ("fdff", False),
        ("dfff", True),
        ("fpfpf", True),
        ("fffd", False),
        ("pppp", False),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_three_soft_bounces_among_the_last_five_pause_a_reader(
    told: Told, heard: str, paused: bool, backwards: bool
) -> None:
    reader = a_reader(ADDRESS)
    words = {"f": "full", "d": "delivered", "p": "policy"}
    pairs = list(zip(days(reader, len(heard)), heard, strict=True))
    last = max(n for n, letter in enumerate(heard) if letter == "f") if "f" in heard else 0
    until = (NOON - (len(heard) - 1 - last) * DAY).date() + 30 * DAY
    for delivery, letter in reversed(pairs) if backwards else pairs:
        if letter != "-":
            told(delivery, words[letter])
            told(delivery, words[letter])
    assert pause_of(reader) == ((until, "bounces") if paused else (None, ""))
    log = [event.source for event in ConsentEvent.objects.filter(subscriber=reader)]
    assert set(log) <= {"soft bounces"}
    assert bool(log) or not paused
    assert reader.status == "active"
    assert not Suppression.objects.exists()


def test_many_soft_bounces_of_one_digest_are_one_point(told: Told) -> None:
    reader = a_reader(ADDRESS)
    (one,) = days(reader, 1)
    for _ in range(9):
        told(one, "full")
    assert pause_of(reader) == (None, "")


def test_the_try_after_thirty_days_pauses_again_or_ends_it(told: Told) -> None:
    reader = a_reader(ADDRESS)
    past = NOON - 40 * DAY
    for n in range(3):
        Delivery.objects.filter(pk=a_delivery(reader, (past + n * DAY).date(), at=past + n * DAY).pk).update(
            soft_bounced_at=past + n * DAY
        )
    today = a_delivery(reader, NOON.date(), at=NOON)
    told(today, "full")
    assert pause_of(reader) == (NOON.date() + 30 * DAY, "bounces")
    told(today, "delivered")
    assert pause_of(reader) == (None, "")


def test_a_readers_own_pause_is_not_shortened_and_not_ended(told: Told) -> None:
    reader = a_reader(ADDRESS)
    own = NOON.date() + 90 * DAY
    lifecycle.pause(reader.public_id, own, at=NOON, trace=Trace("page"))
    one, two, three = days(reader, 3)
    for delivery in (one, two, three):
        told(delivery, "full")
    told(three, "delivered")
    assert pause_of(reader) == (own, "")


def test_a_reader_is_told_why_and_can_resume(client: Client) -> None:
    reader = a_reader(ADDRESS)
    now = timezone.now()
    lifecycle.pause(
        reader.public_id, now.date() + 9 * DAY, at=now, trace=Trace("soft bounces"), because="bounces"
    )
    way = path(links.preferences_url(reader.public_id, at=now))
    assert "Your mailbox refused three digests" in client.get(way).text
    lifecycle.pause(reader.public_id, None, at=now, trace=Trace("preferences page"))
    assert pause_of(reader) == (None, "")
    assert "Your mailbox refused" not in client.get(way).text


def on_the_wire(outcomes: dict[str, Outcome], *, at: datetime = NOON) -> list[Delivery]:
    """Settle a group of today's digests as the wire would; {address: outcome}."""
    edition_day = at.date()
    sent = []
    for address, outcome in outcomes.items():
        reader = Subscriber.objects.filter(address=address).first() or a_reader(address)
        delivery = a_delivery(reader, edition_day, at=at, state="submitting")
        sent.append((Prepared(delivery, [], None, at), outcome))  # type: ignore[arg-type]
    settling.settle(sent, at=at)
    return [item.delivery for item, _outcome in sent]


def test_a_refusal_on_the_wire_counts_as_one_that_is_told() -> None:
    on_the_wire({"a@a.example": DEAD, "b@b.example": POLICY, "c@c.example": FULL, "d@d.example": OURS})
    found = Delivery.objects.order_by("pk").values_list("bounced_at", "soft_bounced_at")
    assert list(found) == [(NOON, None), (NOON, None), (None, NOON), (None, None)]
    assert [s.status for s in Subscriber.objects.order_by("pk")] == [
        "suppressed",
        "active",
        "active",
        "active",
    ]


def test_a_full_mailbox_on_the_wire_pauses_too() -> None:
    for n in range(3):
        on_the_wire({ADDRESS: FULL}, at=NOON + n * DAY)
    assert pause_of(Subscriber.objects.get()) == ((NOON + 32 * DAY).date(), "bounces")


def neighbours(bounced: int, fine: int, domain: str = "big.example") -> dict[str, Outcome]:
    names = [f"reader{n}@{domain}" for n in range(bounced + fine)]
    return {name: DEAD if n < bounced else Outcome(Fate.ACCEPTED) for n, name in enumerate(names)}


@pytest.mark.parametrize(
    ("bounced", "fine", "held"),
    [(5, 15, True), (4, 16, False), (5, 14, False), (19, 0, False), (24, 0, True)],
)
def test_where_over_a_fifth_of_a_domain_bounces_nobody_there_is_suppressed(
    bounced: int, fine: int, held: bool
) -> None:
    on_the_wire({**neighbours(bounced, fine), "ada@small.example": DEAD})
    suppressed = Subscriber.objects.filter(status="suppressed").count()
    assert suppressed == (1 if held else bounced + 1), "a bounce elsewhere is another matter"
    assert BounceVerdict.objects.filter(state=State.WAITING).count() == (bounced if held else 0)


def test_the_same_holds_for_what_is_told_by_webhook(told: Told) -> None:
    deliveries = on_the_wire(neighbours(0, 20))
    for delivery in deliveries[:6]:
        told(delivery, "gone")
    states = list(BounceVerdict.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["applied"] * 4 + ["waiting"] * 2
    assert Suppression.objects.count() == 4
    told(deliveries[7], "complained")
    assert Suppression.objects.filter(reason="complaint").count() == 1, "a complaint never waits"


def test_a_mail_of_the_house_is_judged_with_its_domain(post: Send) -> None:
    on_the_wire(neighbours(6, 15))
    reader = a_reader("new@big.example", status="pending")
    mail = SystemMail.objects.create(subscriber=reader, kind="confirm", created_at=NOON, not_before=NOON)
    post(postmark("gone", {"system_mail": mail.public_id}, reader.address))
    apply_waiting(at=NOON)
    assert BounceVerdict.objects.filter(state=State.WAITING).count() == 7
    assert not Suppression.objects.exists()


def test_bounces_of_another_hour_are_no_storm() -> None:
    on_the_wire(neighbours(3, 12))
    on_the_wire(neighbours(3, 5, "big.example") | {}, at=NOON + timedelta(hours=25))
    assert not BounceVerdict.objects.filter(state=State.WAITING).exists()


def test_the_next_digest_settles_what_waits(told: Told) -> None:
    on_the_wire(neighbours(6, 15), at=NOON - DAY)
    hashes = [reader.address_hash for reader in Subscriber.objects.order_by("pk")]
    again = on_the_wire(
        {
            "reader0@big.example": DEAD,
            **{f"reader{n}@big.example": Outcome(Fate.ACCEPTED) for n in range(1, 21)},
        }
    )
    told(again[1], "delivered")
    state = {one.address_hash: one.state for one in BounceVerdict.objects.order_by("pk")}
    assert [state[hashed] for hashed in hashes[:3]] == ["applied", "dropped", "waiting"]
    assert [row.address_hash for row in Suppression.objects.all()] == hashes[:1]


def test_who_bounces_in_storms_for_two_days_is_gone() -> None:
    for n, applied in ((0, 0), (1, 0), (2, 24)):
        on_the_wire(neighbours(24, 0), at=NOON + n * DAY)
        assert Suppression.objects.count() == applied
    assert not BounceVerdict.objects.filter(state=State.WAITING).exists()


def test_the_same_bounce_told_again_is_no_second_one(told: Told) -> None:
    one, *_others = on_the_wire(neighbours(6, 15), at=NOON - 3 * DAY)
    told(one, "gone")
    assert BounceVerdict.objects.filter(state=State.WAITING).count() == 6
    assert not Suppression.objects.exists()


def test_an_operator_drops_a_storm_and_its_first_victims_come_back(told: Told) -> None:
    deliveries = on_the_wire(neighbours(0, 20))
    earlier = on_the_wire({"old@big.example": DEAD}, at=NOON - DAY)
    for delivery in deliveries[:6]:
        told(delivery, "gone")
    told(deliveries[0], "complained")
    key = deliveries[0].domain_key
    assert verdicts.drop_waiting([key], at=NOON, why="by an operator") == (2, 3)
    left = {row.address_hash: row.reason for row in Suppression.objects.all()}
    assert left == {deliveries[0].address_hash: "complaint", earlier[0].address_hash: "bounce"}
    assert Subscriber.objects.filter(status="active").count() == 19
    assert ConsentEvent.objects.filter(source="bounce taken back").count() == 3


def test_an_operator_applies_what_waits() -> None:
    one, *_others = on_the_wire(neighbours(6, 15))
    assert verdicts.apply_waiting([one.domain_key], at=NOON, why="by an operator") == 6
    assert Suppression.objects.count() == 6
    assert verdicts.apply_waiting([one.domain_key], at=NOON, why="by an operator") == 0


def test_what_nobody_settles_is_dropped_and_then_forgotten() -> None:
    on_the_wire(neighbours(6, 15))
    forgetting.forget(at=NOON + 29 * DAY)
    assert BounceVerdict.objects.filter(state=State.WAITING).count() == 6
    forgetting.forget(at=NOON + 31 * DAY)
    assert BounceVerdict.objects.filter(state=State.DROPPED).count() == 6
    forgetting.forget(at=NOON + 91 * DAY)
    assert not BounceVerdict.objects.exists()


def test_the_desk_shows_what_waits_and_an_operator_decides(admin_client: Client) -> None:
    on_the_wire(neighbours(6, 15))
    a_paper()
    assert "Bounces wait" in admin_client.get("/admin/").text
    rows = "/admin/digest/bounceverdict/"
    assert "big.example" in admin_client.get(rows + "?state__exact=waiting").text
    chosen = {"action": "drop", "_selected_action": [BounceVerdict.objects.first().pk]}  # type: ignore[union-attr]
    assert "Drop the bounces" in admin_client.post(rows, chosen).text
    assert BounceVerdict.objects.filter(state=State.WAITING).count() == 6
    admin_client.post(rows, {**chosen, "confirmed": "yes"})
    assert BounceVerdict.objects.filter(state=State.DROPPED).count() == 6
    assert "Bounces wait" not in admin_client.get("/admin/").text

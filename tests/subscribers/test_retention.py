"""What is forgotten and when: to the second, once, and nothing beside it."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from digest.models import Delivery
from subscribers import asking, audit, lifecycle, retention, tasks
from subscribers.addresses import address_hash
from subscribers.consent import Trace, binding_of
from subscribers.models import (
    AddressChange,
    AuditEvent,
    ConsentEvent,
    Interest,
    LeavingReason,
    SignupRequest,
    Subscriber,
    Suppression,
    SystemMail,
)
from tests.cast import NOON, a_frozen_edition, a_reader, a_topic, the_wording

pytestmark = pytest.mark.django_db

ADDRESS = "ada@example.org"
FORM = Trace(source="signup form", network="192.0.2.77", user_agent="Browser/1.0")
SECOND = timedelta(seconds=1)
Status, Kind, Keeping = Subscriber.Status, ConsentEvent.Kind, ConsentEvent.Keeping


def tidied(after: timedelta) -> int:
    return retention.tidy(at=NOON + after)


def ask(address: str = ADDRESS, *, after: timedelta = timedelta()) -> Subscriber:
    lifecycle.sign_up(address, [a_topic()], ["proof assistants"], at=NOON + after, trace=FORM)
    return Subscriber.objects.get(address=address)


def confirmed(address: str = ADDRESS) -> Subscriber:
    reader = ask(address)
    assert lifecycle.confirm(reader.public_id, binding_of(reader), at=NOON, trace=FORM)
    return reader


def an_event(kind: str = Kind.REQUESTED, address: str = ADDRESS, **fields: Any) -> ConsentEvent:
    given = {"address_hash": address_hash(address), "kind": kind, "source": "form", "at": NOON}
    return ConsentEvent.objects.create(**{**given, **fields})


def test_who_never_confirmed_is_forgotten_after_seven_days_with_all_they_chose() -> None:
    ask()
    assert tidied(retention.UNCONFIRMED - SECOND) == 0
    assert Subscriber.objects.exists()
    tidied(retention.UNCONFIRMED)
    assert not Subscriber.objects.exists()
    assert not Interest.objects.exists()
    assert not SystemMail.objects.exists()
    event = ConsentEvent.objects.get()
    assert (event.kind, event.subscriber) == (Kind.REQUESTED, None), "still counted among the mails of a year"


def test_who_asked_again_has_seven_days_from_then() -> None:
    ask()
    ask(after=timedelta(days=6))
    tidied(retention.UNCONFIRMED)
    reader = Subscriber.objects.get()
    day = NOON + timedelta(days=7, hours=1)
    assert lifecycle.confirm(reader.public_id, binding_of(reader), at=day, trace=FORM)


def test_who_confirmed_stays() -> None:
    confirmed()
    tidied(timedelta(days=3650))
    assert Subscriber.objects.get().status == Status.ACTIVE
    assert [i.text for i in Interest.objects.all()] == ["proof assistants"]


@pytest.mark.parametrize("status", [Status.UNSUBSCRIBED, Status.SUPPRESSED])
def test_the_address_of_who_left_or_bounced_is_forgotten_after_ninety_days(status: str) -> None:
    a_reader(ADDRESS, status=status, status_at=NOON)
    assert tidied(retention.AFTER_LEAVING - SECOND) == 0
    assert tidied(retention.AFTER_LEAVING) == 1
    assert not Subscriber.objects.exists()


def test_that_somebody_left_is_known_by_hash_for_good() -> None:
    reader = confirmed()
    lifecycle.unsubscribe(reader.public_id, at=NOON, trace=FORM)
    lifecycle.suppress(reader.address_hash, Suppression.Reason.COMPLAINT, "test", at=NOON)
    for days in (90, 400, 4000):
        tidied(timedelta(days=days))
    assert not Subscriber.objects.exists()
    log = ConsentEvent.objects.filter(address_hash=address_hash(ADDRESS)).order_by("pk")
    assert [event.kind for event in log] == [Kind.REQUESTED, Kind.CONFIRMED, Kind.WITHDRAWN]
    assert log[1].text == the_wording()
    assert Suppression.objects.get().address_hash == address_hash(ADDRESS)


def test_deliveries_of_who_is_forgotten_stay_counted_without_their_words() -> None:
    reader = a_reader(ADDRESS, status=Status.UNSUBSCRIBED, status_at=NOON)
    delivery = Delivery.objects.create(
        edition=a_frozen_edition(date(2026, 3, 4)),
        subscriber=reader,
        address_hash=reader.address_hash,
        state=Delivery.State.ACCEPTED,
        local_date=date(2026, 3, 4),
        not_before=NOON,
        expires_at=NOON,
        picks=[[1, "you follow proof assistants"]],
        subject="Proof assistants today",
    )
    tidied(retention.AFTER_LEAVING)
    delivery.refresh_from_db()
    assert (delivery.subscriber, delivery.state) == (None, Delivery.State.ACCEPTED)
    assert (delivery.picks, delivery.subject) == ([[1, ""]], "")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("192.0.2.77", "192.0.2.0"),
        ("2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::"),
        ("::ffff:192.0.2.77", "192.0.2.0"),
        (None, None),
    ],
)
def test_after_thirty_days_the_log_knows_the_neighbourhood_and_no_browser(
    given: str | None, kept: str | None
) -> None:
    event = an_event(network=given, user_agent="Browser/1.0")
    assert tidied(retention.WHOLE_NETWORKS - SECOND) == 0
    assert tidied(retention.WHOLE_NETWORKS) == 1
    after = ConsentEvent.objects.get()
    assert (after.network, after.user_agent, after.keeping) == (kept, "", Keeping.COARSE)
    assert (after.kind, after.at, after.source) == (event.kind, event.at, event.source)
    assert tidied(retention.WHOLE_NETWORKS) == 0


def test_the_log_of_an_address_that_never_confirmed_is_deleted_after_four_hundred_days() -> None:
    an_event()
    an_event()
    tidied(retention.UNCONFIRMED_LOG - SECOND)
    assert ConsentEvent.objects.count() == 2
    tidied(retention.UNCONFIRMED_LOG)
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize(
    "proof", [Kind.CONFIRMED, Kind.IMPORTED, Kind.WITHDRAWN, Kind.RESUMED, Kind.CHANGED, Kind.ERASED]
)
def test_the_log_of_an_address_that_ever_agreed_or_refused_is_kept_and_looked_at_once(proof: str) -> None:
    an_event()
    an_event(proof)
    an_event(address="eve@example.org")
    tidied(retention.UNCONFIRMED_LOG)
    log = ConsentEvent.objects.order_by("pk")
    assert [(event.kind, event.keeping) for event in log] == [("requested", 2), (proof, 2)]
    assert tidied(2 * retention.UNCONFIRMED_LOG) == 0


def test_the_log_of_a_reader_who_is_there_is_kept() -> None:
    an_event(subscriber=a_reader(ADDRESS))
    tidied(retention.UNCONFIRMED_LOG)
    assert ConsentEvent.objects.get().keeping == Keeping.PROOF


def test_a_new_wish_that_waits_makes_no_proof_of_an_old_one() -> None:
    an_event(subscriber=a_reader(ADDRESS, status=Subscriber.Status.PENDING))
    tidied(retention.UNCONFIRMED_LOG)
    assert not ConsentEvent.objects.exists()


def test_an_address_that_a_reader_wanted_to_move_to_and_that_never_agreed_is_forgotten_all_the_same() -> None:
    reader = a_reader(ADDRESS)
    an_event(Kind.CONFIRMED, subscriber=reader)
    an_event(address="elsewhere@example.org", subscriber=reader)
    tidied(retention.UNCONFIRMED_LOG)
    assert [event.kind for event in ConsentEvent.objects.all()] == [Kind.CONFIRMED]


def test_a_deleted_row_cannot_be_used_to_get_more_mails_within_a_year() -> None:
    """Three unanswered mails in 365 days, whatever has been tidied in between."""
    assert retention.UNCONFIRMED_LOG > asking.MEMORY
    moments = [timedelta(days=days) for days in range(0, 365, 20)]
    for moment in moments:
        lifecycle.sign_up(ADDRESS, [], at=NOON + moment, trace=FORM)
        tidied(moment)
    asked = ConsentEvent.objects.filter(address_hash=address_hash(ADDRESS), kind=Kind.REQUESTED)
    assert asked.count() == asking.MOST_UNANSWERED


@pytest.mark.parametrize(
    ("state", "left"),
    [
        (SystemMail.State.SENT, 0),
        (SystemMail.State.FAILED, 0),
        (SystemMail.State.WAITING, 1),
        (SystemMail.State.CLAIMED, 1),
    ],
)
def test_mails_that_are_over_are_deleted_after_thirty_days_and_others_never(state: str, left: int) -> None:
    SystemMail.objects.create(
        subscriber=a_reader(), kind="already_subscribed", state=state, created_at=NOON, not_before=NOON
    )
    assert tidied(retention.SYSTEM_MAILS - SECOND) == 0
    tidied(retention.SYSTEM_MAILS)
    assert SystemMail.objects.count() == left


def test_a_new_address_is_forgotten_with_the_link_that_asks_for_it() -> None:
    AddressChange.objects.create(
        subscriber=a_reader(), address="b@example.org", address_key="b@example.org", asked_at=NOON
    )
    assert tidied(timedelta(hours=24) - SECOND) == 0
    assert tidied(timedelta(hours=24)) == 1
    assert not AddressChange.objects.exists()
    assert Subscriber.objects.exists()


def test_a_wish_nobody_took_in_and_an_old_reason_are_forgotten() -> None:
    SignupRequest.objects.create(address=ADDRESS, consent_text=the_wording(), source="form", at=NOON)
    LeavingReason.objects.create(reason="other", words="I retire.", at=NOON)
    assert tidied(retention.UNCONFIRMED - SECOND) == 0
    assert tidied(retention.UNCONFIRMED) == 1
    assert not SignupRequest.objects.exists()
    assert tidied(retention.LEAVING_REASONS - SECOND) == 0
    assert tidied(retention.LEAVING_REASONS) == 1


def test_from_where_something_was_done_at_the_desk_is_forgotten_and_what_was_done_stays() -> None:
    audit.record_for(None, AuditEvent.Kind.DEED, "an edition", "paused", at=NOON, network="192.0.2.77")
    assert tidied(audit.NETWORKS - SECOND) == 0
    assert tidied(audit.NETWORKS) == 1
    assert AuditEvent.objects.values_list("about", "detail", "network").get() == (
        "an edition",
        "paused",
        None,
    )
    assert tidied(audit.NETWORKS) == 0


def test_a_page_is_no_larger_than_asked_and_the_next_goes_on_with_the_oldest_left() -> None:
    for number in range(5):
        ask(f"reader{number}@example.org", after=timedelta(minutes=number))
    gone = retention.UNCONFIRMED + timedelta(hours=1)
    left = []
    while retention.tidy(at=NOON + gone, limit=2):
        left.append(list(Subscriber.objects.order_by("pk").values_list("address", flat=True)))
    assert left == [[f"reader{number}@example.org" for number in (2, 3, 4)], ["reader4@example.org"], []]


def test_one_deed_that_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    LeavingReason.objects.create(reason="other", at=NOON)
    monkeypatch.setattr(retention, "UNCONFIRMED", "nonsense")
    assert tidied(retention.LEAVING_REASONS) == 1
    assert not LeavingReason.objects.exists()


def test_the_task_goes_on_until_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    LeavingReason.objects.bulk_create(LeavingReason(reason="other", at=NOON) for _ in range(1500))
    with time_machine.travel(NOON + retention.LEAVING_REASONS, tick=False):
        assert tasks.tidy() == 1500
        LeavingReason.objects.create(reason="other", at=NOON)
        monkeypatch.setattr(tasks, "TIDY_SECONDS", 0)
        assert tasks.tidy() == 0

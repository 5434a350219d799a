"""Who gets an edition, when, and until when."""

import itertools
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from digest import curation, editions, enrolling
from digest.delivery import settling
from digest.models import Delivery, Edition
from subscribers.models import Subscriber, Suppression
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader

pytestmark = pytest.mark.django_db

WEDNESDAY = date(2026, 3, 4)
DAY = timedelta(days=1)
FREEZE = datetime(2026, 3, 4, 6, tzinfo=UTC)


def an_approved_edition(day: date = WEDNESDAY, at: datetime = FREEZE) -> Edition:
    return a_frozen_edition(day, a_paper(), approved_at=at)


def test_each_reader_gets_one_delivery_at_their_own_hour_after_the_freeze() -> None:
    edition = an_approved_edition()
    london = a_reader(time_zone="Europe/London", send_minute=7 * 60)
    tokyo = a_reader(time_zone="Asia/Tokyo", send_minute=7 * 60)
    assert enrolling.enroll(edition, at=FREEZE) == 2
    assert Delivery.objects.get(subscriber=london).not_before == datetime(2026, 3, 4, 7, tzinfo=UTC)
    in_tokyo = Delivery.objects.get(subscriber=tokyo)
    assert in_tokyo.not_before == datetime(2026, 3, 4, 22, tzinfo=UTC)
    assert in_tokyo.local_date == date(2026, 3, 5)
    assert in_tokyo.expires_at == in_tokyo.not_before + timedelta(hours=12)


def test_enrolling_moves_the_edition_to_sending_with_its_count_kept() -> None:
    edition = an_approved_edition()
    a_reader(), a_reader()
    enrolling.enroll(edition, at=FREEZE)
    edition.refresh_from_db()
    assert (edition.state, edition.enrolled) == (Edition.State.SENDING, 2)


def test_who_is_not_active_or_on_the_suppression_list_gets_no_row() -> None:
    edition = an_approved_edition()
    for status in Subscriber.Status.PENDING, Subscriber.Status.UNSUBSCRIBED, Subscriber.Status.SUPPRESSED:
        a_reader(status=status)
    listed = a_reader()
    Suppression.objects.create(address_hash=listed.address_hash, reason="complaint", source="test", at=NOON)
    assert enrolling.enroll(edition, at=FREEZE) == 0


def test_frequency_and_pause_are_judged_on_the_readers_own_date() -> None:
    saturday = date(2026, 3, 7)
    edition = an_approved_edition(saturday, FREEZE + 3 * DAY)
    daily = a_reader()
    a_reader(frequency="weekdays")
    weekly = a_reader(frequency="weekly", weekday=5)
    a_reader(frequency="weekly", weekday=0)
    # In Kiribati it is Sunday when Saturday's edition comes.
    sunday = a_reader(frequency="weekly", weekday=6, time_zone="Pacific/Kiritimati")
    a_reader(paused_until=saturday + DAY)
    back = a_reader(paused_until=saturday)
    enrolling.enroll(edition, at=FREEZE + 3 * DAY)
    assert set(Delivery.objects.values_list("subscriber", flat=True)) == {
        daily.pk,
        weekly.pk,
        sunday.pk,
        back.pk,
    }


def test_pages_do_not_lose_or_double_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolling, "PAGE", 3)
    edition = an_approved_edition()
    readers = [a_reader() for _ in range(10)]
    assert enrolling.enroll(edition, at=FREEZE) == 10
    assert set(Delivery.objects.values_list("subscriber", flat=True)) == {reader.pk for reader in readers}


def test_an_enrolment_that_died_half_way_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolling, "PAGE", 2)
    edition = an_approved_edition()
    for _ in range(5):
        a_reader()
    write, calls = enrolling._write, iter([True, False])

    def dies_on_the_second_page(*args: object, **kwargs: object) -> int:
        if not next(calls):
            raise RuntimeError("killed")
        return write(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(enrolling, "_write", dies_on_the_second_page)
    with pytest.raises(RuntimeError):
        enrolling.enroll(edition, at=FREEZE)
    edition.refresh_from_db()
    assert (edition.state, edition.enrolled, Delivery.objects.count()) == (Edition.State.APPROVED, 2, 2)
    monkeypatch.setattr(enrolling, "_write", write)
    first_two = set(Delivery.objects.values_list("pk", flat=True))
    Subscriber.objects.filter(deliveries__in=first_two).update(address_hash="changed since")
    assert enrolling.enroll(edition, at=FREEZE) == 5
    assert first_two < set(Delivery.objects.values_list("pk", flat=True))
    assert edition.deliveries.filter(address_hash="changed since").count() == 0


def test_a_newer_edition_takes_the_place_of_an_older_one_still_waiting() -> None:
    reader = a_reader()
    older = an_approved_edition()
    enrolling.enroll(older, at=FREEZE)
    newer = an_approved_edition(WEDNESDAY + DAY, FREEZE + DAY)
    enrolling.enroll(newer, at=FREEZE + DAY)
    assert Delivery.objects.get(edition=older, subscriber=reader).state == Delivery.State.EXPIRED
    assert Delivery.objects.get(edition=newer, subscriber=reader).state == Delivery.State.READY


def test_an_older_edition_enrolled_late_does_not_push_out_a_newer_one() -> None:
    reader = a_reader()
    enrolling.enroll(an_approved_edition(WEDNESDAY + DAY, FREEZE + DAY), at=FREEZE + DAY)
    assert enrolling.enroll(an_approved_edition(), at=FREEZE + DAY) == 0
    assert Delivery.objects.get(subscriber=reader).edition.day == WEDNESDAY + DAY


def test_one_digest_a_local_date_even_if_two_editions_fall_on_it() -> None:
    reader = a_reader()
    welcome = an_approved_edition(WEDNESDAY - DAY, FREEZE - DAY)
    Delivery.objects.create(
        edition=welcome,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=WEDNESDAY,
        not_before=FREEZE,
        expires_at=FREEZE + DAY,
        state=Delivery.State.ACCEPTED,
    )
    assert enrolling.enroll(an_approved_edition(), at=FREEZE) == 0


def test_an_expired_delivery_does_not_block_its_date() -> None:
    reader = a_reader()
    Delivery.objects.create(
        edition=an_approved_edition(WEDNESDAY - DAY, FREEZE - DAY),
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=WEDNESDAY,
        not_before=FREEZE,
        expires_at=FREEZE + DAY,
    )
    assert enrolling.enroll(an_approved_edition(), at=FREEZE) == 1


def test_late_approval_keeps_the_twelve_hours_after_the_readers_hour() -> None:
    a_reader()
    enrolling.enroll(an_approved_edition(at=FREEZE + timedelta(hours=10)), at=FREEZE + timedelta(hours=10))
    assert Delivery.objects.get().expires_at == datetime(2026, 3, 4, 19, tzinfo=UTC)


def test_a_back_issue_made_months_later_may_leave_at_once() -> None:
    later = FREEZE + 200 * DAY
    a_reader()
    enrolling.enroll(an_approved_edition(at=later), at=later)
    delivery = Delivery.objects.get()
    assert delivery.not_before < later < delivery.expires_at
    assert delivery.local_date == WEDNESDAY


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_make_each_delivery_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolling, "PAGE", 3)
    edition = an_approved_edition()
    for _ in range(30):
        a_reader()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            enrolling.enroll(edition, at=FREEZE)
        except BaseException as fault:  # noqa: BLE001 - told by the assertion below
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    edition.refresh_from_db()
    assert faults == []
    assert (edition.state, edition.enrolled, Delivery.objects.count()) == (Edition.State.SENDING, 30, 30)


def test_a_cancel_in_the_middle_of_enrolling_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrolling, "PAGE", 2)
    older = an_approved_edition(WEDNESDAY - DAY, FREEZE - DAY)
    for _ in range(6):
        a_reader()
    enrolling.enroll(older, at=FREEZE - DAY)
    edition = an_approved_edition()
    pages = itertools.count()
    page = enrolling._enroll_page

    def cancelled_after_one(*args: object) -> bool:
        if next(pages) == 1:
            curation.cancel(edition, at=FREEZE)
        return page(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(enrolling, "_enroll_page", cancelled_after_one)
    with pytest.raises(editions.EditionError, match="cancelled"):
        enrolling.enroll(edition, at=FREEZE)
    settling.end_cancelled(at=FREEZE)
    assert set(edition.deliveries.values_list("state", flat=True)) == {Delivery.State.CANCELLED}
    # Who was not looked at yet keeps what was waiting.
    assert older.deliveries.filter(state=Delivery.State.READY).count() == 4


def test_a_zone_this_machine_does_not_know_is_utc_and_stops_nobody() -> None:
    edition = an_approved_edition()
    lost = a_reader(time_zone="Atlantis/Capital")
    a_reader()
    assert enrolling.enroll(edition, at=FREEZE) == 2
    assert Delivery.objects.get(subscriber=lost).not_before == datetime(2026, 3, 4, 7, tzinfo=UTC)


def test_only_an_approved_edition_is_enrolled() -> None:
    edition = a_frozen_edition(WEDNESDAY, a_paper(), state=Edition.State.FROZEN)
    with pytest.raises(editions.EditionError, match="approved"):
        enrolling.enroll(edition, at=FREEZE)


def test_a_count_that_does_not_add_up_stops_the_edition() -> None:
    a_reader()
    edition = an_approved_edition()
    Edition.objects.update(enrolled=7)
    with pytest.raises(editions.EditionError, match="counted"):
        enrolling.enroll(edition, at=FREEZE)
    edition.refresh_from_db()
    assert edition.state == Edition.State.APPROVED


def test_a_new_reader_gets_the_newest_sendable_edition_at_once_as_that_days_digest() -> None:
    an_approved_edition(WEDNESDAY - DAY, FREEZE - DAY)
    newest = an_approved_edition()
    new = a_reader(confirmed_at=NOON - timedelta(minutes=1), time_zone="Asia/Tokyo")
    a_reader()  # confirmed long ago: no welcome
    assert enrolling.welcome(at=NOON) == 1
    delivery = Delivery.objects.get()
    assert (delivery.subscriber, delivery.edition, delivery.not_before) == (new, newest, NOON)
    assert enrolling.welcome(at=NOON) == 0
    newest.refresh_from_db()
    assert newest.enrolled == 1


def test_a_welcome_is_that_dates_digest_so_the_days_own_edition_does_not_come_too() -> None:
    early = datetime(2026, 3, 4, 5, tzinfo=UTC)
    an_approved_edition(WEDNESDAY - DAY, FREEZE - DAY)
    a_reader(confirmed_at=early)
    enrolling.welcome(at=early)
    Delivery.objects.update(state=Delivery.State.ACCEPTED)
    assert enrolling.enroll(an_approved_edition(), at=FREEZE) == 0
    assert enrolling.enroll(an_approved_edition(WEDNESDAY + DAY, FREEZE + DAY), at=FREEZE + DAY) == 1


def test_without_a_sendable_edition_there_is_no_welcome() -> None:
    a_frozen_edition(WEDNESDAY, a_paper(), state=Edition.State.FROZEN)
    a_reader(confirmed_at=NOON)
    assert enrolling.welcome(at=NOON) == 0

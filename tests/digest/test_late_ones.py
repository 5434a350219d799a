"""A digest that is late when the next edition freezes: it is its date's digest still, and nobody gets two."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import override_settings
from pytest_django import Settings

from digest import editions, enrolling
from digest.delivery import claiming, settling
from digest.delivery import run as loop
from digest.delivery.balance import balance
from digest.models import Delivery, Edition
from subscribers.models import Subscriber
from tests.cast import a_frozen_edition, a_paper, a_reader
from tests.digest import days
from tests.sinks.smtp_sink import SmtpSink, free_port

pytestmark = pytest.mark.django_db(transaction=True)

WEDNESDAY, THURSDAY, FRIDAY = date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SIX = datetime(2026, 3, 4, 6, tzinfo=UTC)
QUARTER_TO_SIX = SIX - 15 * MINUTE
State = Delivery.State


@pytest.fixture(autouse=True)
def _a_reader_waits() -> None:
    """Enroll the reader for Wednesday's edition: it is due on Thursday, at a quarter to six."""
    a_reader(send_minute=5 * 60 + 45)
    enrolled(WEDNESDAY, SIX)


def enrolled(day: date, at: datetime) -> Edition:
    edition = a_frozen_edition(day, a_paper(f"Of {day}"), approved_at=at)
    enrolling.enroll(edition, at=at)
    edition.refresh_from_db()
    return edition


def deliver(at: datetime) -> None:
    worker = loop.Worker(lambda: at)
    try:
        loop.run(worker)
    finally:
        worker.close()


def states() -> dict[date, str]:
    return dict(Delivery.objects.order_by("local_date").values_list("local_date", "state"))


def test_a_mail_server_in_trouble_across_the_freeze_costs_the_date_nothing() -> None:
    sink = SmtpSink(port=free_port())
    with override_settings(**sink.settings):
        deliver(QUARTER_TO_SIX + DAY)  # nobody listens
        thursdays = enrolled(THURSDAY, SIX + DAY)
        assert states() == {THURSDAY: State.DEFERRED, FRIDAY: State.READY}
        with sink:
            deliver(SIX + DAY + 10 * MINUTE)
            assert states() == {THURSDAY: State.ACCEPTED, FRIDAY: State.READY}
            deliver(QUARTER_TO_SIX + 2 * DAY)
    assert states() == {THURSDAY: State.ACCEPTED, FRIDAY: State.ACCEPTED}
    first, second = (str(mail.message) for mail in sink.received)
    assert f"Of {WEDNESDAY}" in first
    assert f"Of {THURSDAY}" not in first
    assert f"Of {THURSDAY}" in second
    assert balance(Edition.objects.get(day=WEDNESDAY)).exact
    assert balance(thursdays).accepted == 1


def test_workers_that_were_away_across_the_freeze_send_it_late(smtp_sink: SmtpSink) -> None:
    enrolled(THURSDAY, SIX + DAY)
    deliver(SIX + DAY + HOUR)
    assert states() == {THURSDAY: State.ACCEPTED, FRIDAY: State.READY}
    assert len(smtp_sink.received) == 1


def test_what_a_worker_holds_at_the_freeze_can_be_given_back_and_leaves_later(smtp_sink: SmtpSink) -> None:
    at = SIX + DAY - MINUTE
    held = claiming.claim(owner="one", at=at, limit=1)
    enrolled(THURSDAY, SIX + DAY)
    claiming.release(held)
    assert states() == {THURSDAY: State.READY, FRIDAY: State.READY}
    deliver(SIX + DAY + MINUTE)
    assert len(smtp_sink.received) == 1


def test_a_late_one_may_leave_until_the_newer_ones_hour_and_not_after(smtp_sink: SmtpSink) -> None:
    # The reader moves to nine in the morning: three hours after the freeze, six before the late one is over.
    Subscriber.objects.update(send_minute=9 * 60)
    enrolled(THURSDAY, SIX + DAY)
    late, newer = Delivery.objects.order_by("edition__day")
    assert newer.local_date == late.local_date == THURSDAY
    assert late.state == State.EXPIRED  # both would be Thursday's: the newer one is
    Subscriber.objects.update(time_zone="Pacific/Kiritimati", send_minute=22 * 60)
    Delivery.objects.filter(pk=newer.pk).delete()
    Delivery.objects.filter(pk=late.pk).update(state=State.READY, settled_at=None, local_date=WEDNESDAY)
    Edition.objects.filter(day=THURSDAY).delete()
    enrolled(THURSDAY, SIX + DAY)
    late.refresh_from_db()
    eight = datetime(2026, 3, 5, 8, tzinfo=UTC)
    assert (late.state, late.overdue, late.expires_at) == (State.READY, True, eight)
    deliver(eight)
    assert states() == {WEDNESDAY: State.EXPIRED, THURSDAY: State.ACCEPTED}
    assert len(smtp_sink.received) == 1


def test_one_on_the_wire_at_the_freeze_that_fails_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settle = settling.settle

    def frozen_meanwhile(sent: loop.Settled, *, at: datetime) -> None:
        if sent:
            enrolled(THURSDAY, SIX + DAY)
            monkeypatch.setattr(settling, "settle", settle)
        settle(sent, at=at)

    monkeypatch.setattr(settling, "settle", frozen_meanwhile)
    sink = SmtpSink(port=free_port())
    with override_settings(**sink.settings):
        deliver(SIX + DAY)
        assert states() == {THURSDAY: State.DEFERRED, FRIDAY: State.READY}
        with sink:
            deliver(SIX + DAY + 10 * MINUTE)
    assert states() == {THURSDAY: State.ACCEPTED, FRIDAY: State.READY}


def test_what_waits_for_its_hour_gives_way() -> None:
    enrolled(THURSDAY, SIX + 23 * HOUR)  # by hand, before the reader's hour
    assert states() == {THURSDAY: State.EXPIRED, FRIDAY: State.READY}


def test_papers_of_an_edition_that_nobody_approved_come_with_the_next(
    smtp_sink: SmtpSink, settings: Settings
) -> None:
    settings.EDITION_REQUIRES_APPROVAL, settings.SOURCES = True, ["huggingface"]
    Delivery.objects.all().delete()
    Edition.objects.all().delete()
    reader = Subscriber.objects.get()

    def curator(at: datetime) -> None:
        """Approve Tuesday's and Friday's, ten hours late, and Wednesday's never."""
        for frozen in Edition.objects.filter(state=Edition.State.FROZEN):
            if frozen.day != WEDNESDAY and at >= editions.freeze_moment(frozen.day) + 10 * HOUR:
                editions.approve(frozen, at=at)

    monday = SIX - 2 * DAY - 6 * HOUR
    world = days.World(monday.date())
    days.live(monday, monday + 6 * DAY, world=world, each=curator)
    wednesdays = Edition.objects.get(day=WEDNESDAY)
    assert wednesdays.state == Edition.State.EXPIRED
    with pytest.raises(editions.EditionError, match="expired"):
        editions.approve(wednesdays, at=SIX + 2 * DAY)
    known = {paper.pk for (day, _hour), paper in world.papers.items() if day < FRIDAY}
    assert known <= set(days.papers_of(reader))
    assert set(days.papers_of(reader).values()) == {1}
    assert THURSDAY not in days.dates_of(reader)  # that would have been Wednesday's
    assert len(smtp_sink.received) == days.dates_of(reader).total()

"""Clocks that are set back or ahead while the house works, and hosts whose clocks are apart."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from pytest_django import Settings

from digest import asking, figures, progress, tallying
from digest.delivery import claiming, settling
from digest.delivery import run as loop
from digest.delivery.balance import balance
from digest.delivery.sending import Prepared, submit
from digest.models import DailyFigures, Delivery, Edition, EditionReach, EditionTally, IngestRun
from digest.ranking import Pick
from digest.reaching import reckon_due
from subscribers import outbox
from subscribers.models import ImportJob, SystemMail
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.digest import days
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WEDNESDAY = date(2026, 3, 4)
State = Delivery.State


@pytest.fixture(autouse=True)
def _small(settings: Settings) -> None:
    settings.IN_FLIGHT, settings.SENDERS = 5, 2
    settings.SOURCES = ["huggingface"]


def enrolled(readers: int) -> Edition:
    edition = a_frozen_edition(WEDNESDAY, a_paper(), state=Edition.State.SENDING)
    for _ in range(readers):
        reader = a_reader()
        Delivery.objects.create(
            edition=edition,
            subscriber=reader,
            address_hash=reader.address_hash,
            local_date=edition.day,
            not_before=NOON - HOUR,
            expires_at=NOON + 11 * HOUR,
        )
    Edition.objects.filter(pk=edition.pk).update(enrolled=readers)
    return edition


def prepared(delivery: Delivery) -> Prepared:
    paper = delivery.edition.candidates.get().paper
    return Prepared(delivery, [Pick(paper.pk, "editor’s pick")], EmailMessage("A subject"), NOON)


def mails(sink: SmtpSink) -> Counter[str]:
    return Counter(recipient for mail in sink.received for recipient in mail.recipients)


@pytest.mark.parametrize("back", [HOUR, DAY])
def test_what_a_dead_worker_held_when_the_clock_was_set_back_is_claimed_again(back: timedelta) -> None:
    enrolled(1)
    assert len(claiming.claim(owner="dead", at=NOON + back, limit=9, any_hour=True)) == 1
    assert len(claiming.claim(owner="alive", at=NOON, limit=9)) == 1


def test_a_lease_of_now_is_nobody_elses_though_a_clock_is_minutes_behind() -> None:
    enrolled(1)
    claiming.claim(owner="one", at=NOON, limit=9)
    assert claiming.claim(owner="two", at=NOON - 4 * MINUTE, limit=9) == []


def test_what_was_on_the_wire_then_becomes_unknown_and_is_not_sent_again() -> None:
    enrolled(1)
    submit([prepared(row) for row in claiming.claim(owner="dead", at=NOON + HOUR, limit=9)], at=NOON + HOUR)
    settling.sweep(at=NOON)
    assert Delivery.objects.get().state == State.UNKNOWN
    assert claiming.claim(owner="alive", at=NOON, limit=9) == []


def test_an_owner_who_lives_on_is_fenced_by_the_epoch() -> None:
    enrolled(1)
    (mine,) = claiming.claim(owner="one", at=NOON + DAY, limit=9, any_hour=True)
    (theirs,) = claiming.claim(owner="two", at=NOON, limit=9)
    assert submit([prepared(mine)], at=NOON) == []
    assert len(submit([prepared(theirs)], at=NOON)) == 1


@pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY, -DAY], ids=str)
def test_a_clock_that_jumps_in_the_middle_of_sending_doubles_and_loses_nobody(
    smtp_sink: SmtpSink, jump: timedelta
) -> None:
    edition = enrolled(12)
    for call in range(8):
        Delivery.objects.update(state=State.READY, settled_at=None, lease_until=None, picks=[])
        smtp_sink.received.clear()
        loop_for(jumping(jump, after=call))
        loop_for(lambda: NOON + MINUTE)
        loop_for(lambda: NOON + 10 * MINUTE)
        account = balance(edition)
        assert max(mails(smtp_sink).values(), default=1) == 1
        assert (account.exact, account.unknown, account.open) == (True, 0, 0)
        # What a clock a day ahead let expire has not left: its papers come with the next edition.
        assert account.accepted == len(smtp_sink.received) == 12 - account.expired
        assert account.expired == 0 or jump == DAY


def loop_for(clock: Callable[[], datetime]) -> None:
    worker = loop.Worker(clock)
    try:
        loop.run(worker)
    finally:
        worker.close()


def jumping(jump: timedelta, *, after: int) -> Callable[[], datetime]:
    """Return a clock that jumps after it was looked at so often."""
    looks = iter(range(1_000_000))
    return lambda: NOON if next(looks) < after else NOON + jump


@pytest.mark.parametrize("apart", [12 * MINUTE, -12 * MINUTE], ids=str)
def test_two_hosts_whose_clocks_are_minutes_apart_double_and_lose_nobody(
    smtp_sink: SmtpSink, settings: Settings, apart: timedelta
) -> None:
    settings.LEASE_SECONDS = 60  # so that each takes the other's leases for over, or for none
    edition = enrolled(20)
    faults: list[BaseException] = []

    def work(clock: Callable[[], datetime]) -> None:
        try:
            for _ in range(3):
                loop_for(clock)
        except BaseException as fault:  # noqa: BLE001 - told by the assertion below
            faults.append(fault)
        finally:
            connection.close()

    hosts = [threading.Thread(target=work, args=(clock,)) for clock in (lambda: NOON, lambda: NOON + apart)]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join(timeout=60)
    loop_for(lambda: NOON + abs(apart) + 5 * MINUTE)
    assert faults == []
    assert len(mails(smtp_sink)) == balance(edition).accepted == 20
    assert set(mails(smtp_sink).values()) == {1}


@pytest.mark.parametrize("jump", [DAY, HOUR], ids=str)
def test_editions_made_by_a_clock_that_ran_ahead_cost_no_paper_and_double_none(
    smtp_sink: SmtpSink, jump: timedelta
) -> None:
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    readers = [a_reader(send_minute=minute, size=25) for minute in (345, 420, 1200)]
    world = days.World(monday.date())
    wrong = monday + 1 * DAY + 6 * HOUR + 30 * MINUTE
    days.live(monday, wrong, world=world)
    for at in (wrong + jump, wrong + jump + MINUTE, wrong + MINUTE):
        world.ask(at)
        days.tick(at)
    days.live(wrong + 2 * MINUTE, monday + 4 * DAY + 12 * HOUR, world=world)
    known = {paper.pk for (day, _hour), paper in world.papers.items() if day < (monday + 3 * DAY).date()}
    for reader in readers:
        got = days.papers_of(reader)
        assert known <= set(got)
        assert set(got.values()) == {1}
        assert set(days.dates_of(reader).values()) == {1}
    assert all(balance(edition).exact for edition in Edition.objects.all())
    assert len(smtp_sink.received) == Delivery.objects.filter(state=State.ACCEPTED).count()


def test_a_mail_of_the_house_written_in_the_future_leaves_now(smtp_sink: SmtpSink) -> None:
    reader = a_reader()
    outbox.post(reader, SystemMail.Kind.ALREADY_SUBSCRIBED, at=NOON + DAY)
    held = outbox.post(reader, SystemMail.Kind.ALREADY_SUBSCRIBED, at=NOON - HOUR)
    SystemMail.objects.filter(pk=held.pk).update(state="claimed", lease_until=NOON + DAY)
    assert outbox.deliver_due(at=NOON) == 2
    assert outbox.deliver_due(at=NOON) == 0
    assert len(smtp_sink.received) == 2


def test_a_mail_that_waits_for_its_next_try_waits() -> None:
    mail = outbox.post(a_reader(), SystemMail.Kind.ALREADY_SUBSCRIBED, at=NOON - MINUTE)
    SystemMail.objects.filter(pk=mail.pk).update(not_before=NOON + 5 * HOUR)
    assert outbox.deliver_due(at=NOON) == 0


def test_figures_of_the_future_are_reckoned_anew() -> None:
    edition = enrolled(1)
    Edition.objects.filter(pk=edition.pk).update(approved_at=NOON)
    edition.refresh_from_db()
    progress.keep(edition, at=NOON + DAY)
    figures.keep(at=NOON)
    DailyFigures.objects.update(at=NOON + 5 * HOUR)
    EditionTally.objects.create(edition=edition, at=NOON + DAY)
    edition = Edition.objects.select_related("figures", "tally").get()
    assert progress.is_due(edition, at=NOON)
    assert figures.due(at=NOON)
    assert tallying.is_due(edition, at=NOON)


def test_an_import_and_a_reach_that_a_dead_process_held_are_free_again() -> None:
    job = ImportJob(state=ImportJob.State.CHECKING, created_at=NOON, lease_until=NOON + DAY)
    ImportJob.objects.bulk_create([job])
    assert ImportJob.objects.waiting(NOON).exists()
    ImportJob.objects.update(lease_until=NOON + MINUTE)
    assert not ImportJob.objects.waiting(NOON).exists()
    edition = a_frozen_edition(WEDNESDAY, a_paper(), state=Edition.State.FROZEN)
    EditionReach.objects.create(edition=edition, lease_until=NOON + MINUTE)
    assert not reckon_due(at=NOON)
    EditionReach.objects.update(lease_until=NOON + DAY)
    assert reckon_due(at=NOON)


def test_receipts_of_the_future_do_not_forbid_to_ask() -> None:
    for state in (IngestRun.State.COMPLETE, IngestRun.State.RUNNING, IngestRun.State.FAILED):
        IngestRun.objects.all().delete()
        IngestRun.objects.create(
            source="huggingface", day=NOON.date(), state=state, started_at=NOON + 20 * HOUR
        )
        (found,) = asking.due(NOON)
        assert found[1].last == NOON.date()
    IngestRun.objects.create(source="huggingface", day=NOON.date(), state="complete", started_at=NOON)
    assert all(window.last < NOON.date() for _source, window in asking.due(NOON))

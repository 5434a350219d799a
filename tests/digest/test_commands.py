"""`edition`, `deliver` and the tasks, as operators and their scripts call them."""

import re
import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from celery import Celery
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from digest import tasks
from digest.models import Delivery, Edition
from subscribers.models import SystemMail
from subscribers.tasks import send_outbox
from tests.cast import a_paper, a_reader, appeared
from tests.sinks.smtp_sink import SmtpSink, free_port

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = date(2026, 2, 27)


def run(command: str, **options: object) -> str:
    out = StringIO()
    call_command(command, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def papers_on(day: date, count: int = 12) -> None:
    for number in range(count):
        appeared(a_paper(f"Paper {number} of {day}", upvotes=number), day)


def test_an_edition_of_any_day_is_made_delivered_and_balanced(smtp_sink: SmtpSink) -> None:
    readers = [a_reader() for _ in range(7)]
    papers_on(LONG_AGO)
    made = run("edition", day=LONG_AGO, freeze=True, approve=True, enroll=True)
    assert "sending, 12 papers" in made
    assert "enrolled 7 = accepted 0" in made
    done = run("deliver", day=LONG_AGO, now=True)
    assert "enrolled 7 = accepted 7 + rejected 0 + skipped 0" in done
    assert Counter(mail.recipients[0] for mail in smtp_sink.received) == Counter(r.address for r in readers)
    again = run("deliver", day=LONG_AGO, now=True)
    assert "accepted 7" in again
    assert len(smtp_sink.received) == 7


def test_the_next_days_edition_repeats_no_paper_to_anyone(smtp_sink: SmtpSink) -> None:
    reader = a_reader(size=5)
    got: list[set[str]] = []
    for day in (LONG_AGO, LONG_AGO + timedelta(days=1)):
        papers_on(day)
        run("edition", day=day, freeze=True, approve=True, enroll=True)
        run("deliver", day=day, now=True)
        body = smtp_sink.to(reader.address)[-1].message.get_body(("plain",))
        assert body is not None
        got.append(set(re.findall(r"Paper \d+ of [\d-]+", body.get_content())))
    assert [len(titles) for titles in got] == [5, 5]
    assert not got[0] & got[1]


def test_the_steps_of_an_edition_may_be_taken_one_by_one_and_again() -> None:
    a_reader()
    papers_on(LONG_AGO)
    assert "open, 0 papers" in run("edition", day=LONG_AGO)
    assert "frozen, 12 papers" in run("edition", day=LONG_AGO, freeze=True)
    assert "frozen" in run("edition", day=LONG_AGO, freeze=True)
    with pytest.raises(CommandError, match="Approve it first"):
        run("edition", day=LONG_AGO, enroll=True)
    assert "approved" in run("edition", day=LONG_AGO, approve=True)
    assert "sending" in run("edition", day=LONG_AGO, enroll=True)
    run("edition", day=LONG_AGO, freeze=True, approve=True, enroll=True)
    assert Delivery.objects.count() == 1


def test_an_empty_day_says_what_to_do_and_its_exit_code_tells_a_script() -> None:
    a_reader()
    out = StringIO()
    with pytest.raises(CommandError, match="ingest --day 2026-02-27") as caught:
        call_command("edition", day=LONG_AGO, freeze=True, approve=True, enroll=True, stdout=out)
    assert caught.value.returncode == 3
    assert "empty, 0 papers" in out.getvalue()
    assert not Delivery.objects.exists()
    assert "empty, 0 papers" in run("edition", day=LONG_AGO)  # only asking where it stands is no error


def test_an_empty_edition_is_made_anew_once_papers_came() -> None:
    a_reader()
    with pytest.raises(CommandError):
        run("edition", day=LONG_AGO, freeze=True, approve=True, enroll=True)
    papers_on(LONG_AGO)
    assert "sending, 12 papers" in run("edition", day=LONG_AGO, freeze=True, approve=True, enroll=True)
    assert Delivery.objects.count() == 1


@time_machine.travel(datetime(2026, 3, 4, 23, 30, tzinfo=UTC))
@pytest.mark.parametrize("step", ["freeze", "approve"])
def test_the_papers_of_a_day_to_come_are_not_fixed(settings: Settings, step: str) -> None:
    tomorrow = date(2026, 3, 5)
    papers_on(tomorrow)
    with pytest.raises(CommandError, match="lies in the future") as caught:
        run("edition", day=tomorrow, **{step: True})
    assert caught.value.returncode == 2
    assert not Edition.objects.exists()
    settings.EDITION_ZONE = "Asia/Tokyo"  # where it is tomorrow already
    assert "12 papers" in run("edition", day=tomorrow, **{step: True})


def test_delivering_an_edition_that_does_not_exist_says_how_to_make_it() -> None:
    with pytest.raises(CommandError, match="edition --day 2026-02-27 --freeze --approve --enroll"):
        run("deliver", day=LONG_AGO)


def test_nothing_due_is_said_and_is_no_error() -> None:
    assert "nothing is due" in run("deliver")


def test_a_limit_sends_that_many_and_leaves_the_rest(smtp_sink: SmtpSink) -> None:
    for _ in range(5):
        a_reader()
    papers_on(LONG_AGO)
    run("edition", day=LONG_AGO, freeze=True, approve=True, enroll=True)
    run("deliver", day=LONG_AGO, now=True, limit=2)
    assert len(smtp_sink.received) == 2
    assert Delivery.objects.filter(state="ready").count() == 3
    with pytest.raises(CommandError, match="from 1"):
        run("deliver", limit=0)


def test_a_mail_server_that_stays_away_ends_with_an_error_and_loses_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SmtpSink(port=free_port()).settings.items():
        setattr(settings, name, value)
    monkeypatch.setattr("digest.delivery.settling.BACKOFF", (0.1,))
    a_reader()
    papers_on(LONG_AGO)
    run("edition", day=LONG_AGO, freeze=True, approve=True, enroll=True)
    with pytest.raises(SystemExit) as stopped:
        run("deliver", day=LONG_AGO, now=True)
    assert stopped.value.code == 1
    assert Delivery.objects.get().state == Delivery.State.DEFERRED


def test_short_retry_delays_are_waited_out(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = SmtpSink(port=free_port())
    for name, value in sink.settings.items():
        setattr(settings, name, value)
    monkeypatch.setattr("digest.delivery.settling.BACKOFF", (0.5,))
    threading.Timer(0.3, sink.__enter__).start()
    a_reader()
    papers_on(LONG_AGO)
    run("edition", day=LONG_AGO, freeze=True, approve=True, enroll=True)
    try:
        assert "accepted 1" in run("deliver", day=LONG_AGO, now=True)
    finally:
        sink.__exit__(None, None, None)


def test_the_tasks_bring_todays_papers_to_a_reader_who_is_due(
    smtp_sink: SmtpSink, settings: Settings, broker: Celery
) -> None:
    settings.SOURCES = []
    papers_on(date(2026, 3, 4))
    reader = a_reader(send_minute=7 * 60)
    with time_machine.travel(datetime(2026, 3, 4, 6, 1, tzinfo=UTC)):
        tasks.advance()
        assert Edition.objects.get().state == Edition.State.SENDING
        assert broker.control.purge() == 1
        tasks.deliver()
    assert smtp_sink.received == []
    with time_machine.travel(datetime(2026, 3, 4, 7, 0, tzinfo=UTC)):
        tasks.deliver()
        tasks.deliver()
    assert len(smtp_sink.to(reader.address)) == 1


def test_the_outbox_task_sends_what_is_waiting(smtp_sink: SmtpSink) -> None:
    reader = a_reader(status="pending")
    now = timezone.now()
    SystemMail.objects.create(subscriber=reader, kind="confirm", created_at=now, not_before=now)
    send_outbox()
    send_outbox()
    assert len(smtp_sink.to(reader.address)) == 1


def test_a_tick_asks_for_what_is_due_and_no_more(settings: Settings, broker: Celery) -> None:
    settings.SOURCES = []
    tasks.tick()
    assert broker.control.purge() == 2  # advance, which sees to the rest; and nobody has counted yet
    tasks.keep_figures()
    tasks.tick()
    assert broker.control.purge() == 1
    settings.SOURCES = ["huggingface"]
    tasks.tick()
    assert broker.control.purge() == 2

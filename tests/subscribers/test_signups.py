"""Wishes worked off: each once, whatever dies or breaks meanwhile."""

import logging
import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from pytest_django import Settings

from subscribers import signups
from subscribers.consent import Trace
from subscribers.models import ConsentEvent, SignupRequest, Subscriber, SystemMail
from subscribers.signups import Wish
from subscribers.tasks import send_outbox
from tests.cast import NOON, a_topic, the_wording
from tests.sinks.smtp_sink import SmtpSink
from tests.subscribers.test_at_once import at_once

MINUTE = timedelta(minutes=1)


def wish(address: str = "ada@example.org", **fields: Any) -> Wish:
    defaults: dict[str, Any] = {
        "topics": (),
        "words": (),
        "time_zone": "",
        "wording": the_wording().pk,
        "trace": Trace("signup form", "203.0.113.7", "Browser/1.0"),
    }
    return Wish(address=address, **{**defaults, **fields})


@pytest.mark.django_db
def test_a_wish_keeps_everything_until_it_is_worked_off() -> None:
    vision, retired = a_topic("vision"), a_topic("retired")
    signups.receive(
        wish(topics=("vision", "retired", "gone"), words=("kites", "bells"), time_zone="Asia/Tokyo"), at=NOON
    )
    assert (signups.waiting(10), Subscriber.objects.exists()) == (1, False)
    retired.active = False
    retired.save()
    assert signups.take_in(at=NOON + MINUTE) == 1
    reader = Subscriber.objects.get()
    assert (reader.created_at, reader.time_zone) == (NOON, "Asia/Tokyo")
    assert [p.topic for p in reader.preferences.all()] == [vision]
    assert [i.text for i in reader.interests.order_by("pk")] == ["kites", "bells"]
    event = ConsentEvent.objects.get()
    assert (event.at, event.text) == (NOON, the_wording())
    assert (event.source, event.network, event.user_agent) == ("signup form", "203.0.113.7", "Browser/1.0")
    assert (signups.waiting(10), signups.take_in(at=NOON + MINUTE)) == (0, 0)


@pytest.mark.django_db
def test_the_oldest_come_first_and_the_limit_holds() -> None:
    for number in range(5):
        signups.receive(wish(f"r{number}@example.org"), at=NOON)
    assert signups.take_in(at=NOON, limit=2) == 2
    assert sorted(Subscriber.objects.values_list("address", flat=True)) == [
        "r0@example.org",
        "r1@example.org",
    ]
    assert (signups.waiting(2), signups.waiting(9)) == (2, 3)


@pytest.mark.django_db
def test_of_several_wishes_for_one_address_the_newest_counts() -> None:
    for minute, words in enumerate(("kites", "bells", "knots")):
        signups.receive(wish(words=(words,)), at=NOON + minute * MINUTE)
    signups.receive(wish("eve@example.org", words=("kites",)), at=NOON)
    assert signups.take_in(at=NOON + 3 * MINUTE) == 4
    reader = Subscriber.objects.get(address="ada@example.org")
    assert [interest.text for interest in reader.interests.all()] == ["knots"]
    assert reader.consent_events.get().at == NOON + 2 * MINUTE
    assert Subscriber.objects.count() == SystemMail.objects.count() == 2


@pytest.mark.django_db
def test_a_wish_of_a_clock_ahead_of_ours_waits_for_its_time() -> None:
    signups.receive(wish(), at=NOON + MINUTE)
    assert signups.take_in(at=NOON) == 0
    assert signups.take_in(at=NOON + MINUTE) == 1


@pytest.mark.django_db
def test_a_wish_that_fails_is_tried_three_times_holds_up_no_other_and_is_dropped_without_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    signups.receive(wish("secret at poison.example"), at=NOON)  # past the form, and no address
    signups.receive(wish("good@example.org"), at=NOON)
    with caplog.at_level(logging.INFO):
        done, left = [], []
        for _ in range(3):
            done.append(signups.take_in(at=NOON))
            left.append(list(SignupRequest.objects.values_list("attempts", flat=True)))
    assert (done, left) == ([1, 0, 0], [[1], [2], []])
    assert Subscriber.objects.get().address == "good@example.org"
    assert caplog.text.count("sign-up failed") == 3
    assert "secret" not in caplog.text
    assert "poison.example" not in caplog.text


def _away(execute: Any, sql: str, *rest: Any) -> Any:
    if "consentevent" in sql:
        raise OperationalError("server closed the connection unexpectedly")
    return execute(sql, *rest)


@pytest.mark.django_db
def test_a_database_in_trouble_costs_no_wish_an_attempt() -> None:
    signups.receive(wish(), at=NOON)
    with connection.execute_wrapper(_away), pytest.raises(OperationalError):
        signups.take_in(at=NOON)
    assert SignupRequest.objects.get().attempts == 0
    assert not Subscriber.objects.exists()
    assert signups.take_in(at=NOON) == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_wishes_and_none_is_done_twice() -> None:
    for number in range(30):
        signups.receive(wish(f"r{number}@example.org"), at=NOON)
    counts = at_once(*[lambda: signups.take_in(at=NOON)] * 4)
    assert sum(count for count in counts if isinstance(count, int)) == 30, counts
    assert Subscriber.objects.count() == SystemMail.objects.count() == ConsentEvent.objects.count() == 30
    assert not SignupRequest.objects.exists()


_DIES_HALFWAY = """
import django, os, signal
django.setup()
from django.db.models.signals import pre_delete
from django.utils import timezone
from subscribers import signups
from subscribers.models import SignupRequest
seen = []
def die(**_):
    seen.append(1)
    if len(seen) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
pre_delete.connect(die, sender=SignupRequest)
signups.take_in(at=timezone.now())
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_loses_none_and_repeats_none() -> None:
    for number in range(10):
        signups.receive(wish(f"r{number}@example.org"), at=NOON)
    killed = subprocess.run(
        [sys.executable, "-c", _DIES_HALFWAY],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "digest.settings", "DATABASE_URL": _test_database()},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert (SignupRequest.objects.count(), SystemMail.objects.count()) == (7, 3)
    assert signups.take_in(at=NOON) == 7
    assert SystemMail.objects.values("subscriber").distinct().count() == SystemMail.objects.count() == 10
    assert ConsentEvent.objects.count() == 10


def _test_database() -> str:
    """Return the address of the database that this test runs on."""
    now = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{now['NAME']}"
    return f"postgres://{now['USER']}:{now['PASSWORD']}@{now['HOST']}:{now['PORT']}/{now['NAME']}"


@pytest.mark.django_db
def test_the_task_takes_in_and_sends_in_one_run(settings: Settings) -> None:
    signups.receive(wish(), at=NOON)
    with SmtpSink() as sink:
        for name, value in sink.settings.items():
            setattr(settings, name, value)
        assert send_outbox() == 1
        assert send_outbox() == 0
        assert [received.recipients for received in sink.received] == [("ada@example.org",)]

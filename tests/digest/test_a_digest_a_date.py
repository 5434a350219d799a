"""Each reader one digest for each of their dates: with real rows and mails, around the days clocks change."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

import pytest
from pytest_django import Settings

from subscribers.models import Subscriber
from tests.digest import days, zones
from tests.sinks.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _one_source(settings: Settings) -> None:
    settings.SOURCES = ["huggingface"]


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


@pytest.mark.parametrize(
    ("zone", "hour", "home"),
    [
        ("Europe/Berlin", 6, "UTC"),
        ("America/Denver", 6, "UTC"),
        ("America/Santiago", 0, "America/Los_Angeles"),
        ("Africa/Casablanca", 23, "Pacific/Kiritimati"),
        ("Antarctica/Troll", 2, "Europe/Paris"),
    ],
)
def test_around_both_changes_of_a_year_each_date_has_its_digest(
    smtp_sink: SmtpSink, settings: Settings, zone: str, hour: int, home: str
) -> None:
    settings.EDITION_HOUR, settings.EDITION_ZONE = hour, home
    for change in [day for day in zones.changes(zone) if day.year == 2026][:2]:
        Subscriber.objects.all().delete()
        smtp_sink.received.clear()
        readers = days.readers_of(zone, zones.HOURS)
        # A day more than is looked at: the first edition takes what there is, and the second may be empty.
        days.live(noon(change - 4 * DAY), noon(change + 3 * DAY))
        mails = Counter(recipient for mail in smtp_sink.received for recipient in mail.recipients)
        for reader in readers:
            got = days.dates_of(reader)
            wanted = days.dates(change - DAY, change + DAY)
            assert {day: got[day] for day in wanted} == dict.fromkeys(
                days.dates(change - DAY, change + DAY), 1
            )
            assert set(got.values()) == {1}
            assert mails[reader.address] == got.total()

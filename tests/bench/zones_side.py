"""The whole house around the changes of clocks, on a database in memory: rows, enrolment, claims, mails."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as hour

import tests.environment  # noqa: F401 - takes the settings out of the environment before Django reads them

os.environ["DATABASE_URL"] = "sqlite://:memory:"
os.environ["LOG_LEVEL"] = "CRITICAL"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digest.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django first
from django.test import override_settings  # noqa: E402

from digest.models import Appearance, Delivery, Edition, Paper  # noqa: E402
from subscribers.models import Subscriber  # noqa: E402
from tests.digest import days, zones  # noqa: E402
from tests.sinks.smtp_sink import SmtpSink  # noqa: E402

YEAR = 2026
#: Hours and zones of the freeze that take turns.
RULES = ((6, "UTC"), (0, "America/Los_Angeles"), (23, "Pacific/Kiritimati"), (2, "Europe/Paris"))


def with_rows(names: Sequence[str]) -> list[str]:
    """Let the days around every change of `names` in a year go by, all readers of a change together."""
    call_command("migrate", verbosity=0)
    faults: list[str] = []
    by_change: dict[date, list[str]] = {}
    for zone in names:
        for change in zones.changes(zone):
            if change.year == YEAR:
                by_change.setdefault(change, []).append(zone)
    began = time.perf_counter()
    mails = 0
    for place, (change, moved) in enumerate(sorted(by_change.items())):
        home_hour, home = RULES[place % len(RULES)]
        with (
            SmtpSink() as sink,
            override_settings(
                **sink.settings, SOURCES=["huggingface"], EDITION_HOUR=home_hour, EDITION_ZONE=home
            ),
        ):
            found = _around(change, moved, sink)
        mails += len(sink.received)
        print(
            f"rows: {change}, freeze {home_hour:02}:00 {home}, {len(moved)} ways, {len(found)} faults",
            flush=True,
        )
        faults += found
    print(f"rows: {len(by_change)} days of change, {mails:,} mails in {time.perf_counter() - began:.0f} s")
    return faults


def _around(change: date, moved: Sequence[str], sink: SmtpSink) -> list[str]:
    for model in (Delivery, Subscriber, Edition, Appearance, Paper):
        model.objects.all().delete()
    readers = [reader for zone in moved for reader in days.readers_of(zone, zones.HOURS)]
    noon = datetime.combine(change, hour(12), UTC)
    # A day more than is looked at: the first edition takes what there is, and the second may be empty.
    days.live(noon - timedelta(days=4), noon + timedelta(days=3))
    mailed = Counter(recipient for mail in sink.received for recipient in mail.recipients)
    wanted = list(days.dates(change - days.DAY, change + days.DAY))
    faults = []
    for reader in readers:
        got = days.dates_of(reader)
        if (
            any(got[day] != 1 for day in wanted)
            or set(got.values()) != {1}
            or mailed[reader.address] != got.total()
        ):
            faults.append(
                f"{reader.time_zone} {reader.send_minute}: {sorted(got.items())}, {mailed[reader.address]}"
            )
    return faults

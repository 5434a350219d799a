"""The figures for Prometheus, read back by its own parser."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from digest import guarding, metrics, progress
from digest.models import Delivery, Edition, EditionFigures, Guard, IngestRun
from tests.cast import a_frozen_edition, a_reader

HOUR = timedelta(hours=1)
ALERTS = Path(settings.BASE_DIR) / "docs" / "alerts.yml"
State = Delivery.State
pytestmark = pytest.mark.django_db


def figures() -> dict[str, float]:
    """Return {name{labels}: value} of all that is told."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.fixture
def edition() -> Edition:
    now = timezone.now()
    edition = a_frozen_edition(now.date(), state=Edition.State.SENDING, approved_at=now - HOUR)
    for state in (State.ACCEPTED, State.ACCEPTED, State.UNKNOWN, State.READY):
        reader = a_reader()
        Delivery.objects.create(
            edition=edition,
            subscriber=reader,
            address_hash=reader.address_hash,
            local_date=now.date(),
            not_before=now - timedelta(minutes=3),
            expires_at=now + timedelta(hours=9),
            state=state,
        )
    return edition


def test_an_empty_installation_has_figures() -> None:
    found = figures()
    assert found["paperboy_armed"] == 1
    assert found["paperboy_oldest_due_seconds"] == 0
    assert found["paperboy_outcomes_total{outcome=accepted}"] == 0


def test_an_edition_is_told_as_it_was_last_counted(edition: Edition) -> None:
    progress.keep(edition, at=timezone.now())
    found = figures()
    day = edition.day.isoformat()
    assert found[f"paperboy_deliveries{{edition={day},state=accepted}}"] == 2
    assert found["paperboy_editions{state=sending}"] == 1
    assert found["paperboy_outcomes_total{outcome=unknown}"] == 1
    assert 170 < found["paperboy_oldest_due_seconds"] < 600
    assert found["paperboy_accepted_7d"] == 2


def test_what_was_counted_once_stays_counted(edition: Edition) -> None:
    progress.keep(edition, at=timezone.now())
    Delivery.objects.filter(state=State.UNKNOWN).update(state=State.ACCEPTED)
    progress.keep(edition, at=timezone.now())
    found = figures()
    assert found["paperboy_outcomes_total{outcome=unknown}"] == 1, "a counter that shrinks tells of a restart"
    assert found["paperboy_outcomes_total{outcome=accepted}"] == 3


def test_figures_kept_by_the_version_before_count_as_they_stand(edition: Edition) -> None:
    progress.keep(edition, at=timezone.now())
    EditionFigures.objects.update(peaks=None)
    assert figures()["paperboy_outcomes_total{outcome=accepted}"] == 2


def test_a_source_is_told_by_its_receipts() -> None:
    now = timezone.now()
    for hours, state in ((1, "failed"), (2, "complete"), (30, "complete")):
        moment = now - timedelta(hours=hours)
        IngestRun.objects.create(source="arxiv", day=now.date(), state=state, started_at=moment)
    found = figures()
    assert found["paperboy_receipts_24h{source=arxiv,state=failed}"] == 1
    assert found["paperboy_receipts_24h{source=arxiv,state=complete}"] == 1
    answered = found["paperboy_source_answered_timestamp_seconds{source=arxiv}"]
    assert now.timestamp() - answered == pytest.approx(7200, abs=60)


def test_a_disarmed_database_is_told() -> None:
    guarding.guard()
    Guard.objects.update(disarmed_at=timezone.now(), why=guarding.BEHIND, ticked_at=timezone.now())
    found = figures()
    assert found["paperboy_armed"] == 0
    assert found["paperboy_clock_timestamp_seconds"] > 0


def test_no_figure_names_a_reader(edition: Edition) -> None:
    progress.keep(edition, at=timezone.now())
    text = metrics.text().decode()
    assert "@" not in text
    for delivery in Delivery.objects.select_related("subscriber"):
        assert delivery.public_id not in text
        assert delivery.address_hash not in text


def test_a_scrape_counts_no_deliveries(edition: Edition) -> None:
    progress.keep(edition, at=timezone.now())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        metrics.text()
    asked = [query["sql"] for query in queries.captured_queries]
    assert len(asked) <= 16
    assert not [sql for sql in asked if "COUNT(" in sql and 'FROM "digest_delivery"' in sql]


def test_alerts_ask_for_figures_that_there_are(edition: Edition) -> None:
    progress.keep(edition, at=timezone.now())
    IngestRun.objects.create(source="arxiv", day=edition.day, state="complete", started_at=timezone.now())
    there = {name.partition("{")[0] for name in figures()}
    asked = set(re.findall(r"paperboy_\w+", re.sub(r"#.*", "", ALERTS.read_text())))
    assert asked
    assert asked - there == set()

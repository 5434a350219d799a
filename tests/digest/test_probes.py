"""What machines ask: /healthz, /readyz, /metrics."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client, override_settings
from django.utils import timezone

from digest import guarding, health
from digest.models import Delivery, Edition, Guard
from tests.cast import a_frozen_edition, a_reader
from tests.sinks.smtp_sink import free_port

TOKEN = "a-token-of-32-characters-or-more"
MINUTE = timedelta(minutes=1)
needs_tables = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _asked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT", -1.0)
    monkeypatch.setattr(health, "PATIENCE", 20.0)  # the machine may be busy
    monkeypatch.setattr(health, "_migrated", False)
    health.forget()


@pytest.fixture
def ticking(cache_server: None) -> None:  # noqa: ARG001 - it is there
    """A clock that has just ticked, and a broker."""
    guarding.guard()
    Guard.objects.update(ticked_at=timezone.now())


def asked(**headers: str) -> tuple[int, dict[str, object]]:
    answer = Client().get("/readyz", headers={"host": "10.0.0.7", **headers})
    return answer.status_code, answer.json()


def told() -> dict[str, object]:
    with override_settings(METRICS_TOKEN=TOKEN):
        _, facts = asked(authorization=f"Bearer {TOKEN}")
    return {name: said for name, said in facts.items() if name != "ready" and said != "ok"}


def test_a_process_that_lives_says_so_and_asks_nobody() -> None:
    answer = Client().get("/healthz", headers={"host": "10.0.0.7"})
    assert (answer.status_code, answer.json()) == (200, {"alive": True})
    assert not answer.cookies


def test_probes_by_address_and_without_tls_are_answered_in_production() -> None:
    with override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["papers.example.org"], DEBUG=False):
        assert Client().get("/healthz", headers={"host": "10.0.0.7"}).status_code == 200
        assert Client().get("/", headers={"host": "papers.example.org"}).status_code == 301


def test_probes_change_nothing() -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert Client().post(path).status_code == 405


@needs_tables
@pytest.mark.usefixtures("ticking")
def test_where_all_is_well_it_is_ready() -> None:
    assert told() == {}
    assert asked() == (200, {"ready": True})


@needs_tables
def test_strangers_are_told_that_something_is_wrong_and_not_what() -> None:
    assert asked() == (503, {"ready": False})
    with override_settings(METRICS_TOKEN=TOKEN):
        assert asked(authorization="Bearer wrong")[1] == {"ready": False}


def overdue() -> None:
    now = timezone.now()
    edition = a_frozen_edition(now.date(), state=Edition.State.SENDING, approved_at=now - 40 * MINUTE)
    reader = a_reader()
    Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        local_date=now.date(),
        not_before=now - 20 * MINUTE,
        expires_at=now + 600 * MINUTE,
    )


def wrong_clock() -> None:
    Guard.objects.update(ticked_at=timezone.now() - 10 * MINUTE)


def disarmed() -> None:
    Guard.objects.update(disarmed_at=timezone.now(), why=guarding.BEHIND)


def not_migrated() -> None:
    MigrationRecorder.Migration.objects.filter(app="digest").order_by("-pk").first().delete()  # type: ignore[union-attr]


@pytest.fixture
def _migrations_kept() -> Iterator[None]:
    kept = list(MigrationRecorder.Migration.objects.all())
    yield
    known = set(MigrationRecorder.Migration.objects.values_list("pk", flat=True))
    MigrationRecorder.Migration.objects.bulk_create([row for row in kept if row.pk not in known])


@needs_tables
@pytest.mark.usefixtures("ticking", "_migrations_kept")
@pytest.mark.parametrize(
    ("happen", "name", "said"),
    [
        (overdue, "queue", "has waited 20 minutes"),
        (wrong_clock, "clock", "last ticked 10 minutes ago"),
        (disarmed, "sending", "restored from a backup"),
        (not_migrated, "migrations", "manage.py migrate"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(happen: Callable[[], None], name: str, said: str) -> None:
    happen()
    facts = told()
    assert set(facts) == {name}
    assert said in str(facts[name])
    assert asked()[0] == 503


@needs_tables
@pytest.mark.usefixtures("ticking")
def test_a_long_queue_that_moves_is_not_late() -> None:
    overdue()
    row = Delivery.objects.get()
    Delivery.objects.create(
        edition=row.edition,
        address_hash="x",
        local_date=row.local_date,
        not_before=row.not_before,
        expires_at=row.expires_at,
        state=Delivery.State.ACCEPTED,
        settled_at=timezone.now() - MINUTE,
    )
    assert told() == {}


@needs_tables
@pytest.mark.usefixtures("ticking")
def test_a_broker_that_is_away_is_told() -> None:
    with override_settings(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"):
        assert set(told()) == {"broker"}


@needs_tables
@pytest.mark.usefixtures("ticking")
def test_a_database_that_hangs_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(health, "PATIENCE", 0.1)
    monkeypatch.setattr(health, "_of_database", lambda _at: go_on.wait(30) and {})
    try:
        before = threading.active_count()
        for _ in range(3):
            assert "does not answer" in str(told()["database"])
        assert threading.active_count() == before + 1, "those who ask again wait for the same one"
    finally:
        go_on.set()


def test_an_answer_is_kept_for_who_asks_next(monkeypatch: pytest.MonkeyPatch) -> None:
    asks: list[str] = []

    def ask() -> health.Facts:
        asks.append("once")
        return {}

    monkeypatch.setattr(health, "KEPT", 60.0)
    monkeypatch.setattr(health, "_ask", ask)
    health.facts()
    health.facts()
    assert len(asks) == 1
    health.forget()


# --- Figures -----------------------------------------------------------------------------------------------


def test_without_the_setting_there_are_no_figures() -> None:
    assert Client().get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.django_db
def test_figures_are_for_who_has_the_token() -> None:
    with override_settings(METRICS_TOKEN=TOKEN):
        assert Client().get("/metrics").status_code == 401
        assert Client().get("/metrics", headers={"authorization": "Bearer x"}).status_code == 401
        answer = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_process_that_only_lives_asks_no_database() -> None:
    with connection.execute_wrapper(lambda *_args: pytest.fail("it asked the database")):
        assert Client().get("/healthz").status_code == 200

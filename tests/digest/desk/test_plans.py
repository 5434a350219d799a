"""How PostgreSQL finds what the desk shows: no page walks a large table, nor an index from end to end."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from digest.delivery import claiming, due, settling
from digest.models import Delivery, Edition
from tests.bench.desk_pages import all_pages
from tests.bench.furnishing import Furniture, clear, furnish
from tests.digest.desk.explaining import counted, nodes, rows_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

FURNITURE = Furniture(readers=60_000, papers=30_000, editions=20, candidates=1_000)
#: A table with more rows is large.
LARGE = 9_000
#: Rows of a large table that one question may touch: what a list counts to at most, and a bit.
MOST_ROWS = 12_000
#: Indexes that may be read whole, each with its reason.
READ_WHOLE = {
    "digest_paper_pkey": "the keys of 100,000 papers are 2 MB: merged with a topic's they are read in 10 ms, "
    "and looked up one by one in 30"
}
#: Walked while they are as small as here, each with its reason.
SMALL_HERE = {
    "digest_candidatefigures": "asked for by 1,000 keys of 19,000: walking its 130 pages is the cheaper way; "
    "of 88,500 rows (1,500 papers in each of 59 editions) the same question goes by the key"
}


class Visits:
    """The browser of an owner, which remembers what each page asked of the database."""

    def __init__(self) -> None:
        self.client = Client()
        self.client.force_login(User.objects.create_superuser("owner", password="a-long-enough-word"))
        self._seen: dict[str, tuple[Any, list[str]]] = {}

    def get(self, path: str) -> Any:
        """Return the answer of `path`."""
        if path not in self._seen:
            with CaptureQueriesContext(connection) as asked:
                answer = self.client.get(path)
            told = [str(query["sql"]) for query in asked.captured_queries]
            self._seen[path] = answer, [sql for sql in told if sql.lstrip("( ").startswith("SELECT")]
        return self._seen[path][0]

    def questions(self, path: str) -> list[str]:
        """Return what `path` asks."""
        assert self.get(path).status_code == 200, path
        return self._seen[path][1]

    def forget(self, path: str) -> None:
        """Ask anew the next time."""
        self._seen.pop(path, None)


@pytest.fixture(scope="module")
def large_edition(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Edition]:
    """A furnished house for this file, vacuumed as it would be in life; gone afterwards."""
    del django_db_setup
    with django_db_blocker.unblock():
        edition = furnish(FURNITURE)
        yield edition
        clear()
        User.objects.all().delete()


@pytest.fixture(scope="module")
def owner(large_edition: Edition) -> Visits:
    """Somebody who may see everything."""
    del large_edition
    return Visits()


@pytest.fixture(scope="module")
def large(large_edition: Edition) -> frozenset[str]:
    """The names of the large tables."""
    del large_edition
    with connection.cursor() as cursor:
        cursor.execute("select relname from pg_class where relkind = 'r' and reltuples > %s", [LARGE])
        return frozenset(name for (name,) in cursor.fetchall()) - SMALL_HERE.keys()


def walks(question: str, large: frozenset[str]) -> list[str]:
    """Return what `question` does to large tables that it must not, carried out and watched."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {question}".replace("%", "%%"), [])
        told = cursor.fetchone()
    assert told is not None
    found = json.loads(told[0]) if isinstance(told[0], str) else told[0]
    return [said for node in nodes(found[0]["Plan"]) if (said := _fault(node, large))]


def _fault(node: dict[str, Any], large: frozenset[str]) -> str:
    table = node.get("Relation Name", "")
    if table not in large or not node["Actual Loops"]:
        return ""
    if node["Node Type"] == "Index Only Scan" and node["Index Name"] in READ_WHOLE:
        return ""
    if node["Node Type"] == "Seq Scan":
        return f"walks {table}"
    rows = rows_of(node)
    return (
        f"touches {rows:.0f} rows of {table} by {node.get('Index Name', 'a bitmap')}"
        if rows > MOST_ROWS
        else ""
    )


def test_no_page_of_the_desk_walks_a_large_table(
    owner: Visits, large_edition: Edition, large: frozenset[str]
) -> None:
    pages = all_pages(owner.get, Edition.objects.latest("day"), large_edition)
    assert len(pages) > 60
    asked = {question: page.path for page in pages for question in owner.questions(page.path)}
    faults = [
        f"{path} {said}: {question[:500]}"
        for question, path in asked.items()
        if any(f'"{table}"' in question for table in large)
        for said in walks(question, large)
    ]
    assert not faults, "\n\n".join(faults)


def test_the_tables_that_grow_are_large_here(large: frozenset[str]) -> None:
    assert large >= {
        "subscribers_subscriber",
        "subscribers_preference",
        "subscribers_consentevent",
        "digest_delivery",
        "digest_paper",
        "digest_papertopic",
        "digest_appearance",
        "digest_candidate",
        "digest_providerevent",
    }


@pytest.mark.parametrize(
    ("index", "path"),
    [
        ("delivery_of_edition", "/admin/digest/delivery/?state__exact=unknown"),
        ("delivery_bounced", "/admin/digest/delivery/?heard=bounced"),
        ("paper_title_words", "/admin/digest/paper/?q=diffusion+video"),
        ("paper_withdrawn", "/admin/digest/paper/?withdrawn=yes"),
        ("consent_kind_at", "/admin/subscribers/consentevent/?kind__exact=erased"),
    ],
)
def test_a_page_whose_index_is_gone_is_seen_to_walk(
    index: str, path: str, owner: Visits, large: frozenset[str]
) -> None:
    def faults() -> list[str]:
        owner.forget(path)
        return [said for question in owner.questions(path) for said in walks(question, large)]

    assert faults() == []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"drop index {index}")
        assert faults() != []
        transaction.set_rollback(True)


# What workers ask of the deliveries, whatever else waits there.

#: Rows of the table that a claim of BATCH may touch: found, locked, written and read, and a bit.
BATCH, CLAIMS = 200, 1_200
State = Delivery.State


def paused(edition: Edition) -> None:
    Edition.objects.filter(pk=edition.pk).update(state=Edition.State.PAUSED)


def of_later(edition: Edition) -> None:
    later = datetime.now(UTC) + timedelta(hours=5)
    Delivery.objects.filter(edition=edition, state=State.READY).update(not_before=later)


def put_off(edition: Edition) -> None:
    later = datetime.now(UTC) + timedelta(hours=5)
    Delivery.objects.filter(edition=edition, state=State.READY).update(state=State.DEFERRED, retry_at=later)


def held_by_others(edition: Edition) -> None:
    later = datetime.now(UTC) + timedelta(minutes=5)
    Delivery.objects.filter(edition=edition, state=State.READY).update(state=State.CLAIMED, lease_until=later)


def due_now(edition: Edition) -> None:
    """As it was furnished."""


@pytest.mark.parametrize("waits", [paused, of_later, put_off, held_by_others, due_now])
def test_a_claim_touches_its_batch_whatever_else_waits(
    waits: Callable[[Edition], None], large_edition: Edition
) -> None:
    waits(large_edition)
    with counted() as touched:
        claimed = claiming.claim(owner="one", at=datetime.now(UTC), limit=BATCH)
    assert len(claimed) == (BATCH if waits is due_now else 0)
    assert len(touched) >= 2
    assert sum(touched.values()) <= CLAIMS, touched


@pytest.mark.parametrize("waits", [paused, of_later, put_off, held_by_others])
def test_counting_what_is_due_walks_nothing_that_is_not(
    waits: Callable[[Edition], None], large_edition: Edition
) -> None:
    waits(large_edition)
    with counted() as touched:
        assert due.count(datetime.now(UTC)) == 0
    assert sum(touched.values()) <= 10, touched


def test_who_is_due_is_counted_no_further_than_the_tasks_that_are_asked_for(large_edition: Edition) -> None:
    del large_edition
    with counted() as touched:
        assert due.count(datetime.now(UTC)) == due.MOST_COUNTED
    assert sum(touched.values()) <= due.MOST_COUNTED + 10, touched


def test_a_sweep_finds_what_is_over_and_no_more(large_edition: Edition) -> None:
    with counted() as touched:
        settling.sweep(at=datetime.now(UTC))
    assert sum(touched.values()) <= 10, touched
    with counted() as touched:
        settling.sweep(at=datetime.now(UTC) + timedelta(hours=13))
    assert max(touched.values()) <= 2 * settling.PAGE, touched
    assert Delivery.objects.filter(edition=large_edition, state=State.EXPIRED).count() == 2 * settling.PAGE


def test_a_cancelled_edition_is_ended_page_by_page(large_edition: Edition) -> None:
    now = datetime.now(UTC)
    Edition.objects.filter(pk=large_edition.pk).update(state=Edition.State.CANCELLED, closed_at=now)
    with counted() as touched:
        settling.end_cancelled(at=now + timedelta(seconds=1), pages=1)
    assert max(touched.values()) <= 2 * settling.PAGE, touched


def test_a_page_of_readers_is_superseded_by_their_keys(large_edition: Edition) -> None:
    newer = Edition.objects.latest("day")
    readers = (
        Delivery.objects.filter(edition=large_edition).order_by("pk").values_list("subscriber", flat=True)
    )
    now = datetime.now(UTC)
    page = [
        Delivery(edition=newer, subscriber_id=reader, local_date=newer.day, not_before=now)
        for reader in readers[: settling.PAGE]
    ]
    with counted() as touched:
        assert settling.supersede(page, newer, at=now) == settling.PAGE / 2
    assert max(touched.values()) <= 2 * settling.PAGE, touched


@pytest.mark.parametrize(
    ("index", "waits"), [("delivery_ready", held_by_others), ("delivery_deferred", put_off)], ids=str
)
def test_a_claim_whose_index_is_gone_is_seen_to_walk(
    index: str, waits: Callable[[Edition], None], large_edition: Edition
) -> None:
    waits(large_edition)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"drop index {index}")
        with counted() as touched:
            claiming.claim(owner="one", at=datetime.now(UTC), limit=BATCH)
        assert sum(touched.values()) > CLAIMS
        transaction.set_rollback(True)

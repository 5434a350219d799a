"""Tests of the data export: that all is told, and that no new table or column can be forgotten."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import models
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from digest import export
from digest.models import BounceVerdict, Click, Delivery, Edition, ProviderEvent
from subscribers import address_changes, lifecycle, links
from subscribers.consent import Trace
from subscribers.models import (
    AddressChange,
    ConsentEvent,
    ImportJob,
    Interest,
    Preference,
    SignupRequest,
    Subscriber,
    Suppression,
    SystemMail,
)
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader, a_topic, the_wording
from tests.subscribers.door.visits import kept_private, path, snapshot

pytestmark = pytest.mark.django_db
TODAY = NOON.date()
DAY = timedelta(days=1)
ADDRESS = "ada@example.org"
FACTS = ("delivered", "soft_bounced", "bounced", "complained", "left")

#: {table: its section of the export}: every table that refers to a reader or holds an address or its hash.
SECTIONS: dict[str, str] = {
    "subscribers.Subscriber": "reader schedule",
    "subscribers.Preference": "topics",
    "subscribers.Interest": "interests",
    "subscribers.ConsentEvent": "consent",
    "subscribers.SystemMail": "mails",
    "subscribers.AddressChange": "address_change",
    "subscribers.SignupRequest": "signup_requests",
    "subscribers.Suppression": "suppression",
    "digest.Delivery": "digests",
    "digest.BounceVerdict": "verdicts",
    "digest.ProviderEvent": "events",
    "digest.Click": "digests",
}
_NUMBER = "our own number of the row; it says nothing of the reader"
_IT_IS_YOU = "points at the reader whose data this is"
_WORKER = "which worker holds the row, and until when: about machines, not about the reader"
#: {column: why it is not told}.
LEFT_OUT: dict[str, str] = {
    **{f"{table}.id": _NUMBER for table in SECTIONS},
    **{
        f"{table}.subscriber": _IT_IS_YOU
        for table in SECTIONS
        if table
        not in {
            "subscribers.Subscriber",
            "subscribers.SignupRequest",
            "subscribers.Suppression",
            "digest.ProviderEvent",
            "digest.BounceVerdict",
            "digest.Click",
        }
    },
    **{
        f"{table}.{name}": _WORKER
        for table in ("digest.Delivery", "subscribers.SystemMail")
        for name in ("owner", "epoch", "lease_until")
    },
    "subscribers.Suppression.address_hash": "the reader's own, told once with the reader",
    "digest.BounceVerdict.address_hash": "the reader's own, told once with the reader",
    "digest.Click.delivery": "the digest that it stands in",
    "subscribers.ConsentEvent.keeping": "how far retention has come with the row",
}
#: Tables with a column for addresses that hold none of a reader's: {table: why}.
OTHERS: dict[str, str] = {
    "digest.EditionReach": "how many readers, not which",
    "digest.TopicFigures": "how many readers, not which",
    "subscribers.ImportJob": "examples of rows for the curator who imports, gone when the import is done",
}
#: How a column is told whose value is written in words.
IN_WORDS: dict[str, object] = {
    "subscribers.Subscriber.send_minute": "06:17",
    "subscribers.Subscriber.weekday": "Thursday",
    "subscribers.Preference.topic": "Vision",
    "subscribers.ConsentEvent.text": "2026-11-1",
    "subscribers.ConsentEvent.import_job": "They ticked a box at the fair of 2025.",
    "subscribers.SignupRequest.consent_text": "2026-11-1",
    "digest.Delivery.edition": "2026-03-04",
    "digest.Delivery.picks": "matches “splats”",
    "digest.Click.paper": "2603.99999",
    "digest.ProviderEvent.delivery": "a-digest-of-hers",
    "digest.ProviderEvent.system_mail": "a-mail-to-her",
}


def data_of(reader: Subscriber) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(b"".join(export.written(reader, at=NOON)))
    return found


def moments() -> dict[str, datetime]:
    """Return a different moment for every column that takes one, so that none can stand in for another."""
    names = [
        "status_at created_at confirmed_at address_changed_at asked_at",
        "not_before expires_at retry_at submitted_at settled_at",
        "mailed_at sent_at event_at request_at listed_at mail_not_before",
        "delivered_at soft_bounced_at bounced_at complained_at left_at clicked_at agreed_at",
        "told_at received_at applied_at dead_at judged_at",
    ]
    return {name: NOON + timedelta(hours=n, seconds=n) for n, name in enumerate(" ".join(names).split(), 1)}


@pytest.fixture
def everything() -> dict[str, models.Model]:
    """One row of every table about a reader, each column with a value of its own."""
    at, vision = moments(), a_topic("vision")
    reader = a_reader(
        ADDRESS,
        status_at=at["status_at"],
        created_at=at["created_at"],
        confirmed_at=at["confirmed_at"],
        address_changed_at=at["address_changed_at"],
        clicks_counted_since=at["agreed_at"],
        time_zone="Asia/Tokyo",
        send_minute=6 * 60 + 17,
        frequency="weekly",
        weekday=3,
        size=23,
        paused_until=date(2026, 5, 6),
        paused_because="bounces",
    )
    trace = {"network": "192.0.2.77", "user_agent": "Invented/7.1"}
    job = ImportJob.objects.create(
        consent_source="They ticked a box at the fair of 2025.", name="fair.csv", digest="0", created_at=NOON
    )
    edition = a_frozen_edition(TODAY, paper := a_paper("Splats", identity="2603.99999"))
    rows: list[Any] = [
        reader,
        Preference.objects.create(subscriber=reader, topic=vision, weight=2),
        Interest.objects.create(subscriber=reader, kind="exclude", text="blockchain"),
        ConsentEvent.objects.create(
            subscriber=reader,
            address_hash="1:event",
            kind="imported",
            text=the_wording(),
            import_job=job,
            source="the fair",
            at=at["event_at"],
            **trace,
        ),
        SystemMail.objects.create(
            public_id="a-mail-to-her",
            subscriber=reader,
            kind="address_changed",
            to="elsewhere@example.org",
            state="failed",
            attempts=17,
            detail="450 try later",
            created_at=at["mailed_at"],
            not_before=at["mail_not_before"],
            sent_at=at["sent_at"],
        ),
        AddressChange.objects.create(
            subscriber=reader,
            address="New@example.org",
            address_key="new@example.org",
            address_hash="1:new",
            asked_at=at["asked_at"],
        ),
        SignupRequest.objects.create(
            address=ADDRESS,
            topics=["a-slug"],
            words=["own words"],
            time_zone="Europe/Oslo",
            consent_text=the_wording(),
            source="a form",
            attempts=19,
            at=at["request_at"],
            **trace,
        ),
        Suppression.objects.create(
            address_hash=reader.address_hash, reason="complaint", source="a provider", at=at["listed_at"]
        ),
        Delivery.objects.create(
            public_id="a-digest-of-hers",
            edition=edition,
            subscriber=reader,
            address_hash="1:then",
            state="deferred",
            local_date=date(2026, 3, 5),
            not_before=at["not_before"],
            expires_at=at["expires_at"],
            retry_at=at["retry_at"],
            attempts=13,
            picks=[[paper.pk, "matches “splats”"]],
            subject="Splats, and more",
            submitted_at=at["submitted_at"],
            settled_at=at["settled_at"],
            provider_id="provider-88",
            detail="451 later",
            domain_key="1:domain",
            **{f"{fact}_at": at[f"{fact}_at"] for fact in FACTS},
        ),
    ]
    rows.append(
        ProviderEvent.objects.create(
            provider="a carrier",
            key="event-99",
            kind="soft_bounced",
            delivery=rows[-1],
            system_mail=rows[4],
            recipient_hash="1:told",
            message_id="name-of-theirs",
            at=at["told_at"],
            received_at=at["received_at"],
            applied_at=at["applied_at"],
            detail="452 full",
        )
    )
    rows.append(
        BounceVerdict.objects.create(
            address_hash=reader.address_hash,
            domain_key="1:at-a-domain",
            source="a mail that came back",
            state="dropped",
            at=at["dead_at"],
            settled_at=at["judged_at"],
            why="by somebody",
        )
    )
    rows.append(
        Click.objects.create(delivery=rows[-3], paper=paper, link="j", robot="a scanner", at=at["clicked_at"])
    )
    return {row._meta.label: row for row in rows}


def told(value: object) -> set[str]:
    """Return all plain values in a piece of the export, as text."""
    if isinstance(value, dict):
        return set().union(*map(told, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(told, value)) if value else set()
    return {str(value)}


def as_told(column: str, value: object) -> set[str]:
    if column in IN_WORDS:
        return {str(IN_WORDS[column])}
    if isinstance(value, datetime):
        return {value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    if isinstance(value, date):
        return {value.isoformat()}
    return {str(part) for part in value} if isinstance(value, list) else {str(value)}


def about_readers() -> set[str]:
    """Return the labels of our tables that refer to a reader, or have a column for an address or its hash."""
    found = set()
    for model in [
        *apps.get_app_config("digest").get_models(),
        *apps.get_app_config("subscribers").get_models(),
    ]:
        for field in model._meta.concrete_fields:
            refers = field.related_model in {Subscriber, Delivery}
            named = any(word in field.name for word in ("address", "email", "recipient", "reader"))
            if refers or named or field.name == "to":
                found.add(model._meta.label)
    return found | {Subscriber._meta.label}


def test_every_table_about_readers_is_in_the_export() -> None:
    assert about_readers() - set(OTHERS) == set(SECTIONS)


@pytest.mark.parametrize("table", sorted(SECTIONS))
def test_every_column_is_told_or_left_out_for_a_reason(
    everything: dict[str, models.Model], table: str
) -> None:
    row, reader = everything[table], everything["subscribers.Subscriber"]
    assert isinstance(reader, Subscriber)
    data = data_of(reader)
    known = set().union(*(told(data[section]) for section in SECTIONS[table].split()))
    row.refresh_from_db()
    missing = [
        column
        for field in row._meta.concrete_fields
        if (column := f"{table}.{field.name}") not in LEFT_OUT
        and not as_told(column, field.value_from_object(row)) <= known
    ]
    assert missing == []


def test_nothing_is_left_out_that_is_not_there() -> None:
    columns = {
        f"{label}.{field.name}" for label in SECTIONS for field in apps.get_model(label)._meta.concrete_fields
    }
    assert set(LEFT_OUT) - columns == set()
    assert set(IN_WORDS) - columns == set()


@pytest.mark.usefixtures("everything")
def test_what_was_agreed_to_is_told_in_its_exact_words() -> None:
    data = data_of(Subscriber.objects.get())
    wording = {"version": "2026-11-1", "wording": the_wording().wording}
    assert data["consent"]["rows"][0]["agreed_to"] == wording
    assert data["signup_requests"]["rows"][0]["agreed_to"] == wording


@pytest.mark.usefixtures("everything")
def test_each_section_says_what_it_is() -> None:
    data = data_of(Subscriber.objects.get())
    assert set(" ".join(SECTIONS.values()).split()) | {"data"} == set(data)
    assert all(len(section["about"]) > 20 for section in data.values())
    assert data["data"]["made_at"] == "2026-03-04T12:00:00Z"


def test_digests_come_newest_first_with_their_papers_titles_and_reasons() -> None:
    reader, paper = a_reader(ADDRESS), a_paper("Splats 𝔸 عنوان\x07")
    for age in range(3):
        edition = a_frozen_edition(TODAY - age * DAY)
        _delivered(reader, edition, [[paper.pk, "you follow Vision"], [99_999, "by hand"]])
    rows = data_of(reader)["digests"]["rows"]
    assert [row["edition"] for row in rows] == ["2026-03-04", "2026-03-03", "2026-03-02"]
    assert rows[0]["papers"] == [
        {"title": "Splats 𝔸 عنوان\x07", "identity": paper.identity, "reason": "you follow Vision"},
        {"title": None, "identity": None, "reason": "by hand"},  # a paper that is stored no more
    ]


def _delivered(reader: Subscriber, edition: Edition, picks: list[list[object]]) -> None:
    Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        state=Delivery.State.ACCEPTED,
        local_date=edition.day,
        not_before=NOON,
        expires_at=NOON,
        picks=picks,
    )


@pytest.mark.usefixtures("everything")
def test_nobody_elses_rows_are_told() -> None:
    other = a_reader("ben@example.org")
    data = json.dumps(data_of(other))
    for secret in (ADDRESS, "Splats", "blockchain", "192.0.2.77", "New@example.org", "complaint", "a-slug"):
        assert secret not in data


def test_a_reader_with_nothing_gets_a_whole_file() -> None:
    data = data_of(a_reader(ADDRESS))
    assert data["reader"]["address"] == ADDRESS
    assert data["digests"]["rows"] == data["mails"]["rows"] == data["topics"]["rows"] == []
    assert data["suppression"]["listed"] is None


def test_what_an_erased_subscription_of_the_same_address_left_is_told_too() -> None:
    first = a_reader(ADDRESS)
    lifecycle.erase(first.public_id, at=NOON, trace=Trace("account page", network="192.0.2.9"))
    rows = data_of(a_reader(ADDRESS))["consent"]["rows"]
    assert [row["kind"] for row in rows] == ["erased"]


def test_deliveries_are_read_in_portions(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    reader, paper = a_reader(ADDRESS), a_paper()
    for age in range(150):
        _delivered(reader, a_frozen_edition(TODAY - age * DAY), [[paper.pk, "new today"]])
    pieces = export.written(reader, at=NOON)
    with django_assert_num_queries(8 + 3 + 1 + 2 * 3):
        assert b"".join(pieces).count(b'"reason"') == 150


@time_machine.travel(NOON, tick=False)
def test_the_file_is_downloaded_behind_the_readers_own_link_and_changes_nothing(client: Client) -> None:
    reader = a_reader(ADDRESS)
    before = snapshot()
    address = f"{path(links.account_url(reader.public_id, NOON))}/data"
    answer = client.get(address)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="my-data-2026-03-04.json"'
    file = answer.getvalue()
    assert json.loads(file)["reader"]["address"] == ADDRESS
    assert kept_private(answer)
    assert client.head(address).status_code == 200
    assert client.post(address).getvalue() == file
    assert snapshot() == before


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    "status", [Subscriber.Status.PENDING, Subscriber.Status.UNSUBSCRIBED, Subscriber.Status.SUPPRESSED]
)
def test_who_is_no_active_reader_has_data_too(client: Client, status: str) -> None:
    reader = a_reader(ADDRESS, status=status)
    answer = client.get(f"{path(links.account_url(reader.public_id, NOON))}/data")
    assert json.loads(answer.getvalue())["reader"]["status"] == status


@time_machine.travel(NOON, tick=False)
def test_links_that_open_nothing_get_a_page_and_no_file(client: Client) -> None:
    reader = a_reader(ADDRESS)
    token = path(links.account_url(reader.public_id, NOON))
    refused = {
        f"{path(links.preferences_url(reader.public_id, NOON)).replace('preferences', 'account')}/data": 400,
        f"{token[:-1]}/data": 400,
        f"{path(links.account_url(reader.public_id, NOON - timedelta(minutes=30)))}/data": 410,
        f"{path(links.account_url('x' * 22, NOON))}/data": 410,
    }
    for address, status in refused.items():
        answer = client.get(address)
        assert answer.status_code == status
        assert "Content-Disposition" not in answer
        assert kept_private(answer)


@pytest.mark.parametrize("status", [None, *Subscriber.Status])
def test_what_is_told_of_a_wish_to_move_is_the_same_whoever_has_the_address(status: str | None) -> None:
    reader = a_reader(ADDRESS)
    if status:
        a_reader("grace@example.org", status=status)
    address_changes.ask(reader.public_id, "grace@example.org", at=NOON, trace=Trace("account page"))
    told = data_of(reader)
    assert told["address_change"]["waiting"]["address"] == "grace@example.org"
    assert told["mails"]["rows"] == []
    assert told["consent"]["rows"] == []


def test_whose_browser_an_event_without_a_reader_came_by_is_not_told() -> None:
    reader, eve = a_reader(ADDRESS), a_reader("eve@example.org")
    trace = Trace("account page", network="192.0.2.66", user_agent="Eve's browser")
    ConsentEvent.objects.create(
        subscriber=eve,
        address_hash=reader.address_hash,
        kind=ConsentEvent.Kind.REQUESTED,
        source=trace.source,
        network=trace.network,
        user_agent=trace.user_agent,
        at=NOON,
    )
    lifecycle.erase(eve.public_id, at=NOON, trace=Trace("test"))
    assert len(data_of(reader)["consent"]["rows"]) == 1
    assert "192.0.2.66" not in json.dumps(data_of(reader))
    assert "Eve" not in json.dumps(data_of(reader))

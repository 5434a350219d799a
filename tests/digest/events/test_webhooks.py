"""Providers' posts: who may, what is kept of them, and that nothing they hold breaks the door."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from digest.events.applying import UNTIL_NAMED, apply_waiting
from digest.models import Delivery, ProviderEvent
from digest.receivers import keep_event
from tests.cast import NOON
from tests.digest.events.conftest import ADDRESS, Send, accepted
from tests.digest.events.posts import KEYS, PROVIDERS, SECRET, Post, Told, basic, postmark
from tests.journeys.rows import rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("told", PROVIDERS.values(), ids=PROVIDERS)
@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("delivered", "delivered"),
        ("gone", "bounced"),
        ("policy", "refused"),
        ("full", "soft_bounced"),
        ("complained", "complained"),
    ],
)
def test_each_dialect_is_understood_and_kept(
    post: Send, delivery: Delivery, told: Told, what: str, kind: str
) -> None:
    assert post(told(what, {"delivery": delivery.public_id}, ADDRESS)).status_code == 200
    event = ProviderEvent.objects.get()
    assert (event.kind, event.delivery, event.recipient_hash) == (kind, delivery, delivery.address_hash)
    assert event.at == NOON
    assert event.applied_at is None, "kept first, applied afterwards"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("told", PROVIDERS.values(), ids=PROVIDERS)
def test_a_real_post_over_http_arrives(live_server: LiveServer, settings: Settings, told: Told) -> None:
    delivery = accepted()
    one = told("delivered", {"delivery": delivery.public_id}, ADDRESS)
    settings.ANYMAIL_PROVIDER, settings.ANYMAIL = one.provider, {"WEBHOOK_SECRET": [SECRET], **KEYS}
    settings.ALLOWED_HOSTS = ["localhost"]
    for way in (one.way, one.way.rstrip("/")):
        answer = requests.post(live_server.url + way, data=one.body, timeout=10, allow_redirects=False)
        assert answer.status_code == 401
        headers = {**one.headers, "Content-Type": "application/json"}
        answer = requests.post(live_server.url + way, data=one.body, headers=headers, timeout=10)
        assert answer.status_code == 200
    apply_waiting(at=NOON)
    delivery.refresh_from_db()
    assert delivery.delivered_at == NOON
    assert ProviderEvent.objects.count() == 1


def test_nobody_elses_post_has_an_effect(client: Client, settings: Settings, delivery: Delivery) -> None:
    one = postmark("gone", {"delivery": delivery.public_id}, ADDRESS)
    before = rows()

    def status(secret: str | None, provider: str = "postmark", **anymail: object) -> int:
        settings.ANYMAIL_PROVIDER, settings.ANYMAIL = provider, anymail
        headers = {"Authorization": basic(secret)} if secret else {}
        return client.post(one.way, one.body, content_type="application/json", headers=headers).status_code

    assert status(SECRET) == 404, "without a secret in the settings nothing is taken"
    assert status(SECRET, WEBHOOK_SECRET=[]) == 404
    assert status(SECRET, provider="mailgun", WEBHOOK_SECRET=[SECRET]) == 404, "another provider's dialect"
    assert status(None, WEBHOOK_SECRET=[SECRET]) == 401
    assert status("hook:wrong", WEBHOOK_SECRET=[SECRET]) == 403
    assert rows() == before
    assert status("hook:the-old-one", WEBHOOK_SECRET=[SECRET, "hook:the-old-one"]) == 200


def test_a_wrong_signature_is_refused(post: Send, delivery: Delivery) -> None:
    one = PROVIDERS["mailgun"]("gone", {"delivery": delivery.public_id}, ADDRESS)
    forged = json.loads(one.body)
    forged["signature"]["signature"] = "0" * 64
    assert post(Post("mailgun", json.dumps(forged).encode())).status_code == 403
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"\xff\xfe",
        b"{}",
        b'{"RecordType": 7}',
        b'{"RecordType": "Bounce", "Type": [], "ID": {}, "Email": {}, "Metadata": [], "BouncedAt": "soon"}',
        b'{"RecordType": "Delivery", "DeliveredAt": null, "Recipient": "x", "Metadata": {}}',
        b'{"RecordType": "Inbound"}',
        b'{"event": [], "ts_epoch": "soon"}',
        b'{"event": "delivered", "ts_epoch": 1e300, "email": 7, "X-Mailin-custom": "[7]"}',
        b'{"type": {}, "data": 7}',
        b'{"event-data": 7, "signature": 7}',
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_junk_is_answered_and_never_breaks_the_door(post: Send, provider: str, body: bytes) -> None:
    assert post(Post(provider, body)).status_code in {200, 400, 403, 411}
    apply_waiting(at=NOON)


def test_a_body_that_is_too_large_is_refused_unread(post: Send) -> None:
    assert post(Post("postmark", b" " * (3 * 1024 * 1024))).status_code == 413


def test_only_posts_are_taken(client: Client) -> None:
    assert client.get("/webhooks/postmark/tracking/").status_code == 405
    assert client.post("/webhooks/pigeon/tracking/").status_code == 404


@pytest.mark.parametrize(
    ("named", "to"),
    [
        ({"delivery": "no-such-delivery"}, ADDRESS),
        ({"delivery": "\x00" * 30}, ADDRESS),
        ({"delivery": ["a"]}, ADDRESS),
        ({}, ADDRESS),
        ({"system_mail": "no-such-mail"}, ADDRESS),
        (None, "somebody.else@example.org"),
        (None, "no address"),
        (None, ""),
    ],
)
def test_what_names_no_mail_of_ours_with_its_recipient_is_kept_as_an_orphan_without_effect(
    heard: Callable[..., None], delivery: Delivery, named: dict[str, str] | None, to: str
) -> None:
    named = {"delivery": delivery.public_id} if named is None else named
    before = {table: found for table, found in rows().items() if table != "digest_providerevent"}
    heard(postmark("gone", named, to), postmark("complained", named, to, serial=2))
    apply_waiting(at=timezone.now() + UNTIL_NAMED)
    after = {table: found for table, found in rows().items() if table != "digest_providerevent"}
    assert after == before
    events = ProviderEvent.objects.all()
    assert [(event.delivery, event.system_mail) for event in events] == [(None, None)] * 2
    assert all(event.applied_at for event in events), "and it does not wait for ever"


def test_no_address_is_kept_whatever_the_provider_quotes(post: Send, delivery: Delivery) -> None:
    one = json.loads(postmark("gone", {"delivery": delivery.public_id}, ADDRESS).body)
    one["Details"] = f"smtp;550 5.1.1 <{ADDRESS}>: no such user {ADDRESS.upper()} \x00"
    assert post(Post("postmark", json.dumps(one).encode())).status_code == 200
    kept = "".join(rows()["digest_providerevent"]).lower()
    assert "550 5.1.1" in kept
    assert ADDRESS not in kept


def test_opens_and_clicks_that_a_provider_counts_are_not_kept(post: Send, delivery: Delivery) -> None:
    for told in PROVIDERS.values():
        assert post(told("opened", {"delivery": delivery.public_id}, ADDRESS)).status_code == 200
    assert not ProviderEvent.objects.exists()


def test_the_same_event_is_kept_once_with_or_without_a_name_of_its_own(
    post: Send, delivery: Delivery
) -> None:
    for told in PROVIDERS.values():
        for _ in range(3):
            post(told("delivered", {"delivery": delivery.public_id}, ADDRESS))
    assert ProviderEvent.objects.count() == len(PROVIDERS)


def test_a_captured_post_with_another_body_changes_nothing(post: Send, delivery: Delivery) -> None:
    one = PROVIDERS["mailgun"]("delivered", {"delivery": delivery.public_id}, ADDRESS)
    swapped = json.loads(one.body)
    swapped["event-data"]["event"] = "complained"
    post(one), post(Post("mailgun", json.dumps(swapped).encode()))
    assert [event.kind for event in ProviderEvent.objects.all()] == ["delivered"]


class Unspeakable:
    """An event's field that cannot be read."""

    def __str__(self) -> str:
        raise RuntimeError(ADDRESS)


def test_one_event_that_cannot_be_kept_does_not_bring_the_others_back(delivery: Delivery) -> None:
    from anymail.signals import AnymailTrackingEvent  # noqa: PLC0415

    for recipient in (Unspeakable(), ADDRESS):
        event = AnymailTrackingEvent(
            event_type="delivered", recipient=recipient, metadata={"delivery": delivery.public_id}
        )
        keep_event(event=event, esp_name="SendGrid")
    assert [event.delivery for event in ProviderEvent.objects.all()] == [delivery]


def test_a_clock_that_runs_ahead_is_not_believed(post: Send, delivery: Delivery) -> None:
    post(postmark("delivered", {"delivery": delivery.public_id}, ADDRESS, at=NOON + timedelta(days=9999)))
    event = ProviderEvent.objects.get()
    assert event.at == event.received_at


def test_the_message_id_stands_in_where_a_provider_keeps_no_metadata(post: Send, delivery: Delivery) -> None:
    for number, name in enumerate(("provider-77", f"<{delivery.public_id}@paperboy.example>")):
        one = json.loads(postmark("gone", {}, ADDRESS, serial=number).body)
        one["MessageID"] = name
        post(Post("postmark", json.dumps(one).encode()))
    assert [event.delivery for event in ProviderEvent.objects.all()] == [delivery] * 2

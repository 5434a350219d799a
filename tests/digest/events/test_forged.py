"""Posts that are not the provider's, or not of today, or not what was signed: no effect at all."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from digest.events.applying import apply_waiting
from digest.models import Delivery, ProviderEvent
from subscribers.models import Suppression
from tests.cast import NOON
from tests.digest.events.conftest import ADDRESS, Send
from tests.digest.events.posts import (
    PROVIDERS,
    SVIX_SECRET,
    Post,
    Told,
    basic,
    mailgun,
    mailgun_signed,
    postmark,
    resend,
    svix,
)
from tests.journeys.rows import rows

pytestmark = pytest.mark.django_db
HOUR = 3600


def named(delivery: Delivery) -> dict[str, str]:
    return {"delivery": delivery.public_id}


def swapped(one: Post, old: str, new: str) -> Post:
    """Return the post with another body under the same headers and signature."""
    return Post(one.provider, one.body.replace(old.encode(), new.encode()), one.headers)


@pytest.mark.parametrize("told", PROVIDERS.values(), ids=PROVIDERS)
def test_a_wrong_secret_or_anothers_path_has_no_effect(
    post: Send, delivery: Delivery, settings: Settings, told: Told
) -> None:
    one = told("gone", named(delivery), ADDRESS)
    before = rows()
    for secret in ("hook:wrong", "", "hook", "høøk:\x00"):
        assert (
            post(Post(one.provider, one.body, {**one.headers, "Authorization": basic(secret)})).status_code
            == 403
        )
    for nonsense in ("Basic", "Basic ====", "Bearer x", "Basic \xff"):
        assert (
            post(Post(one.provider, one.body, {**one.headers, "Authorization": nonsense})).status_code == 403
        )
    for other in {*PROVIDERS, "amazon_ses", "sendgrid", "mandrill"} - {one.provider}:
        settings.ANYMAIL_PROVIDER = other
        path = Client().post(one.way, one.body, content_type="application/json", headers=one.headers)
        assert path.status_code == 404
    assert rows() == before


@pytest.mark.parametrize("told", PROVIDERS.values(), ids=PROVIDERS)
def test_a_post_in_another_providers_dialect_has_no_effect(
    post: Send, delivery: Delivery, told: Told
) -> None:
    one = told("gone", named(delivery), ADDRESS)
    for other in PROVIDERS:
        if other != one.provider:
            post(Post(other, one.body, one.headers))
    apply_waiting(at=timezone.now() + timedelta(hours=1))
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("told", PROVIDERS.values(), ids=PROVIDERS)
def test_a_post_made_again_counts_once(heard: Callable[..., None], delivery: Delivery, told: Told) -> None:
    one = told("gone", named(delivery), ADDRESS)
    heard(one)
    before = rows()
    heard(one, one)
    assert rows() == before


def test_mailguns_captured_post_has_no_effect_years_later(post: Send, delivery: Delivery) -> None:
    one = mailgun("complained", named(delivery), ADDRESS)
    now = int(time.time())
    for moment in (1_000_000_000, now - 25 * HOUR, now + 25 * HOUR):
        assert post(mailgun_signed(one, moment, "f" * 50)).status_code == 403
    assert not ProviderEvent.objects.exists()
    assert post(mailgun_signed(one, now - 23 * HOUR, "f" * 50)).status_code == 200, "it repeats for hours"


def test_mailguns_signature_cannot_be_cut_elsewhere(post: Send, delivery: Delivery) -> None:
    """Timestamp and token are signed as one string: the digits between them belong to the token alone."""
    now, token = str(int(time.time())), "7" * 50
    one = mailgun("delivered", named(delivery), ADDRESS)
    assert post(mailgun_signed(one, now, token)).status_code == 200
    for shift in (-1, 1, 2):
        text = now + token
        cut = 10 + shift
        said = json.loads(mailgun_signed(one, now, token).body)
        said["signature"] |= {"timestamp": text[:cut], "token": text[cut:]}
        said["event-data"]["event"] = "complained"
        assert post(Post("mailgun", json.dumps(said).encode())).status_code == 403
    for moment in (f"{now}.0", float(now), [now], f" {now}", "٠" * 10):
        assert post(mailgun_signed(one, moment, "1" * 50)).status_code in {400, 403}
    assert [event.kind for event in ProviderEvent.objects.all()] == ["delivered"]


def test_mailguns_form_of_years_ago_is_judged_alike(post: Send, delivery: Delivery, client: Client) -> None:
    one = mailgun("complained", named(delivery), ADDRESS)

    def status(moment: int, **fields: object) -> int:
        block = json.loads(mailgun_signed(one, moment, "e" * 50).body)["signature"]
        form = {
            **block,
            "event": "complained",
            "recipient": ADDRESS,
            "delivery": delivery.public_id,
            **fields,
        }
        return client.post(one.way, form, headers=one.headers).status_code

    post(mailgun("opened", {}, ADDRESS))  # Mailgun carries our mails
    assert status(1_000_000_000) == 403
    assert status(int(time.time()), signature=["0" * 64, "1" * 64]) == 403
    assert not ProviderEvent.objects.exists()
    assert status(int(time.time())) == 200


@pytest.fixture
def signing(settings: Settings) -> None:
    settings.RESEND_SIGNING_SECRET = SVIX_SECRET


@pytest.mark.usefixtures("signing")
def test_resends_posts_are_believed_for_their_signature(post: Send, delivery: Delivery) -> None:
    one = resend("gone", named(delivery), ADDRESS)
    now = int(time.time())
    other = SVIX_SECRET[:-8] + "AAAAAAA="
    refused = [
        one,
        svix(one, secret=other),
        svix(one, now - 25 * HOUR),
        svix(one, now + 25 * HOUR),
        svix(one, "soon"),
        svix(one, **{"svix-timestamp": str(now - 1)}),
        svix(one, **{"svix-id": "msg_another"}),
        svix(one, **{"svix-signature": ""}),
        svix(one, **{"svix-signature": "v1,ÿ v1, v1"}),
        swapped(svix(one), "email.bounced", "email.complained"),
    ]
    for forged in refused:
        assert post(forged).status_code == 403
    assert not ProviderEvent.objects.exists()
    assert post(svix(one, now - 23 * HOUR)).status_code == 200
    assert post(svix(one)).status_code == 200, "each try is dated anew"
    assert ProviderEvent.objects.count() == 1


def test_who_signs_nothing_is_known_by_the_secret_and_an_event_by_its_name(
    heard: Callable[..., None], delivery: Delivery
) -> None:
    one = postmark("delivered", named(delivery), ADDRESS)
    heard(one)
    other = swapped(one, ADDRESS, "somebody.else@example.org")
    heard(other)
    event = ProviderEvent.objects.exclude(delivery=delivery).get()
    assert event.delivery is None, "another recipient than the mail's: an orphan"
    delivery.refresh_from_db()
    assert (delivery.delivered_at, delivery.complained_at) == (NOON, None)

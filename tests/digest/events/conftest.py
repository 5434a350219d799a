"""A provider that posts, and a digest it posts about."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from pytest_django import Settings

from digest.events.applying import apply_waiting
from digest.models import Delivery
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.digest.events.posts import KEYS, SECRET, Post

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response

ADDRESS = "ada@example.org"
Send = Callable[[Post], "Response"]


def accepted(address: str = ADDRESS, state: str = Delivery.State.ACCEPTED) -> Delivery:
    """Return the delivery of today's edition to a new reader."""
    reader = a_reader(address)
    edition = a_frozen_edition(NOON.date(), a_paper(), state="sending")
    return Delivery.objects.create(
        edition=edition,
        subscriber=reader,
        address_hash=reader.address_hash,
        state=state,
        local_date=edition.day,
        not_before=NOON,
        expires_at=NOON,
        submitted_at=NOON,
        provider_id="provider-77",
    )


@pytest.fixture
def delivery() -> Delivery:
    return accepted()


@pytest.fixture
def post(settings: Settings) -> Send:
    """Post to the house as a provider does that was told the secret."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": [SECRET], **KEYS}
    client = Client(enforce_csrf_checks=True)

    def send(one: Post) -> "Response":
        settings.ANYMAIL_PROVIDER = one.provider
        return client.post(one.way, one.body, content_type="application/json", headers=one.headers)

    return send


@pytest.fixture
def heard(post: Send) -> Callable[..., None]:
    """Post events, then apply what waits."""

    def hear(*posts: Post) -> None:
        for one in posts:
            assert post(one).status_code == 200
        apply_waiting(at=NOON)

    return hear

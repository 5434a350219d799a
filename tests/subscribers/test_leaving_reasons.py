"""Why people leave: once a link, bounded, and without a trace of who."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import models
from django.test import override_settings

from subscribers import leaving_reasons
from subscribers.models import LeavingReason
from tests.cast import NOON

pytestmark = pytest.mark.django_db

NOWHERE = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
    }
}


def keep(said_by: str, words: str = "", at: datetime = NOON) -> None:
    leaving_reasons.keep("too_many", words, said_by=said_by, at=at)


@pytest.mark.usefixtures("broker")
def test_a_link_gives_one_reason_and_another_link_another() -> None:
    mine, yours = str(uuid4()), str(uuid4())
    for said_by in (mine, mine, yours, mine):
        keep(said_by)
    assert LeavingReason.objects.count() == 2


@pytest.mark.usefixtures("broker")
def test_a_reason_says_the_day_and_neither_who_nor_the_moment() -> None:
    keep(str(uuid4()), "Thank you all the same.", NOON + timedelta(seconds=7))
    reason = LeavingReason.objects.get()
    assert (reason.reason, reason.words) == ("too_many", "Thank you all the same.")
    assert reason.at == NOON.replace(hour=0)
    assert not [field for field in LeavingReason._meta.fields if isinstance(field, models.ForeignKey)]


def test_without_the_cache_reasons_are_taken_up_to_a_number_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving_reasons, "MOST_UNCOUNTED", 3)
    with override_settings(CACHES=NOWHERE):
        for _ in range(5):
            keep("ada")
        assert LeavingReason.objects.count() == 3
        keep("ada", at=NOON + timedelta(days=1))
    assert LeavingReason.objects.count() == 4

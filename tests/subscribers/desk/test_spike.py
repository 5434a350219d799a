"""A rush of sign-ups is told on every page of the desk, and nothing is told on a usual day."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from subscribers import limits, pressure
from subscribers.models import ConsentEvent
from tests.cast import NOON, the_wording
from tests.subscribers.desk.conftest import may

NOTICE = "asked for in the last hour"
HOUR = timedelta(hours=1)


def sign_ups(number: int, *, at: datetime, network: str = "198.18.{}.7") -> int:
    """Let `number` sign-ups come as far as the limits; return how many passed."""
    return sum(
        limits.admit(f"r{each}@d{each}.example", network.format(each % 250), at=at) is limits.Room.FREE
        for each in range(number)
    )


@pytest.fixture(autouse=True)
def _wide(settings: Settings) -> None:
    settings.SIGNUPS_PER_NETWORK = settings.SIGNUPS_PER_DOMAIN = settings.SIGNUPS_PER_HOUR = 10_000


@pytest.mark.usefixtures("cache_server")
class TestCounted:
    def test_fifty_in_an_hour_are_nothing_to_speak_of_and_one_more_is(self) -> None:
        sign_ups(50, at=NOON)
        assert pressure.spike(NOON) is None
        sign_ups(1, at=NOON)
        assert str(pressure.spike(NOON)) == "Sign-ups: 51 asked for in the last hour, usually 0."

    def test_five_times_the_usual_is_a_rush_where_much_is_usual(self) -> None:
        for hours in range(2, 8):
            sign_ups(20, at=NOON - hours * HOUR)
        sign_ups(100, at=NOON)
        assert pressure.spike(NOON) is None
        sign_ups(1, at=NOON)
        assert pressure.spike(NOON) == pressure.Spike(asked=101, usual=20, refused=0)

    def test_refusals_alone_are_told_from_a_hundred_on(self, settings: Settings) -> None:
        for hours in range(2, 8):
            sign_ups(100, at=NOON - hours * HOUR)
        settings.SIGNUPS_PER_NETWORK = 20
        assert sign_ups(120, at=NOON, network="203.0.113.7") == 20
        assert pressure.spike(NOON) is None
        sign_ups(1, at=NOON, network="203.0.113.7")
        assert str(pressure.spike(NOON)) == (
            "Sign-ups: 121 asked for in the last hour, usually 100. 101 refused by limits."
        )

    def test_it_is_over_an_hour_later(self) -> None:
        sign_ups(80, at=NOON)
        assert pressure.spike(NOON + 2 * HOUR) is None

    @pytest.mark.django_db
    def test_every_page_of_the_desk_tells_it_with_the_way_to_what_helps(self, curator: Client) -> None:
        named = ["index", "subscribers_subscriber_changelist", "digest_edition_changelist", "password_change"]
        named += ["subscribers_subscriber_find", "subscribers_spike", "subscribers_suppression_add"]
        where = [*(reverse(f"admin:{name}") for name in named), reverse("admin:app_list", args=["digest"])]
        for path in where:
            assert NOTICE not in curator.get(path).content.decode()
        sign_ups(80, at=timezone.now())
        helps = f'href="{reverse("admin:subscribers_spike")}"'
        for path in where:
            page = curator.get(path).content.decode()
            assert "Sign-ups: 80 asked for in the last hour, usually 0." in page, path
            assert helps in page

    @pytest.mark.django_db
    def test_all_who_may_log_in_see_it_and_nobody_else(self, client: Client, newcomer: User) -> None:
        sign_ups(80, at=timezone.now())
        assert NOTICE not in client.get(reverse("admin:login")).content.decode()
        assert client.get(reverse("admin:subscribers_spike")).status_code == 302
        assert NOTICE in may(newcomer).get("/admin/").content.decode()

    @pytest.mark.django_db
    def test_the_page_about_it_shows_the_limits_in_force(self, newcomer: User, settings: Settings) -> None:
        settings.SIGNUPS_PER_DOMAIN, settings.PROXY_HOPS = 4321, 3
        page = may(newcomer).get(reverse("admin:subscribers_spike")).content.decode()
        assert "4,321" in page
        assert "PROXY_HOPS is 3" in page
        assert "Switch on a puzzle" in page
        settings.CAPTCHA = "hcaptcha"
        page = may(newcomer).get(reverse("admin:subscribers_spike")).content.decode()
        assert "a puzzle already (hcaptcha)" in page


@pytest.mark.django_db
def test_without_the_cache_the_log_is_counted(settings: Settings, curator: Client) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    now, text = timezone.now(), the_wording()
    ConsentEvent.objects.bulk_create(
        ConsentEvent(address_hash=f"1:{each}", kind="requested", text=text, source="form", at=now)
        for each in range(60)
    )
    assert "Sign-ups: 60 asked for" in curator.get("/admin/").content.decode()

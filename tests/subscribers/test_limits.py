"""How many may sign up within an hour, counted in a real Redis or Valkey."""

import logging
import multiprocessing
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from pytest_django import Settings

from subscribers import limits, quick_redis, signups
from subscribers.consent import Trace
from subscribers.limits import Pressure, Room
from subscribers.models import ConsentEvent
from subscribers.signups import Wish
from tests.cast import NOON, a_reader, the_wording

FORK = multiprocessing.get_context("fork")
START = FORK.Barrier(4)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _caps(settings: Settings) -> None:
    settings.SIGNUPS_PER_NETWORK = settings.SIGNUPS_PER_DOMAIN = settings.SIGNUPS_PER_HOUR = 10_000


def passed(
    number: int, *, address: str = "r{}@d{}.example", network: str = "198.{}.{}.7", at: datetime = NOON
) -> int:
    """Return how many of `number` pass; "{}" in `address` and `network` is another one each time."""
    return sum(
        limits.admit(
            address.replace("{}", str(each)),
            network.format(18 + each // 250, each % 250) if "{}" in network else network,
            at=at,
        )
        is Room.FREE
        for each in range(number)
    )


@pytest.mark.usefixtures("cache_server")
class TestWithTheCache:
    def test_one_network_has_its_share_and_others_theirs(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_NETWORK = 5
        assert passed(8, network="203.0.113.7") == 5
        assert passed(3, network="203.0.113.250") == 0, "the same /24"
        assert passed(3, network="::ffff:203.0.113.9") == 0, "the same /24, written as IPv6"
        assert passed(3, network="203.0.114.7") == 3

    def test_a_site_of_ipv6_is_one_network(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_NETWORK = 5
        assert passed(4, network="2001:db8:1:2::3") == 4
        assert passed(4, network="2001:db8:1:ffff::4") == 1, "the same /48"
        assert passed(4, network="2001:db8:2::3") == 4

    def test_whoever_holds_a_whole_32_of_ipv6_has_five_networks_shares_and_no_more(
        self, settings: Settings
    ) -> None:
        settings.SIGNUPS_PER_NETWORK = 4
        assert (
            sum(
                passed(1, address=f"r{site}@d.example", network=f"2001:db8:{site:x}::7")
                for site in range(100)
            )
            == 20
        )
        assert passed(1, network="2001:db9::7") == 1, "another provider"
        assert passed(100) == 100, "IPv4 as before"

    def test_what_is_too_much_for_an_address_alone_counts_like_any_other(self, settings: Settings) -> None:
        """Else whose next sign-up is refused would tell whether that address has been entered often."""
        settings.SIGNUPS_PER_NETWORK = 12
        tries = [limits.admit("ada@mail.example", f"198.18.0.{each}", at=NOON) for each in range(14)]
        assert tries == [Room.FREE] * 5 + [Room.ENOUGH] * 7 + [Room.FULL] * 2
        assert passed(1, network="198.18.0.99") == 0
        later = NOON + 90 * MINUTE
        assert limits.admit("ada@mail.example", "203.0.113.7", at=later) is Room.FREE, (
            "tries too many add none"
        )

    def test_a_network_has_some_puzzles_checked_for_each_sign_up(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_NETWORK = 2
        asked = [limits.may_ask_about_puzzle("203.0.113.7", at=NOON) for _ in range(13)]
        assert asked == [True] * 10 + [False] * 3
        assert limits.pressure(NOON) == Pressure(0, 3, 0.0), "the desk sees what is refused"
        assert limits.may_ask_about_puzzle("203.0.114.7", at=NOON)
        assert passed(2, network="203.0.113.7") == 2, "a window of its own"

    def test_previews_are_counted_by_the_minute_and_are_no_sign_ups(self) -> None:
        asked = [limits.may_preview("203.0.113.7", at=NOON) for _ in range(125)]
        assert asked == [True] * 120 + [False] * 5
        assert limits.may_preview("203.0.114.7", at=NOON)
        assert not limits.may_preview("203.0.113.7", at=NOON + MINUTE), "the minute before still counts"
        assert limits.may_preview("203.0.113.7", at=NOON + 2 * MINUTE)
        assert limits.pressure(NOON) == Pressure(0, 0, 0.0)

    def test_one_mail_domain_has_its_share(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_DOMAIN = 5
        assert passed(8, address="r{}@mail.example") == 5
        assert passed(3, address="r{}@other.example") == 3

    def test_one_address_has_its_share_in_whatever_spelling(self) -> None:
        assert passed(8, address="Ada@mail.example") == limits.SIGNUPS_PER_ADDRESS
        assert passed(3, address="aDA@mail.example") == 0
        assert passed(3, address="ada+1@mail.example") == 3

    def test_all_together_have_theirs(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_HOUR = 30
        assert passed(50) == 30

    def test_what_one_window_refuses_uses_up_no_other(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_NETWORK, settings.SIGNUPS_PER_DOMAIN = 5, 20
        assert passed(500, address="r{}@mail.example", network="203.0.113.7") == 5
        assert passed(500, address="s{}@mail.example") == 15

    def test_the_window_slides(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_NETWORK = 10
        late = NOON + 59 * MINUTE
        assert passed(12, network="203.0.113.7", at=late) == 10
        for after, free in ((MINUTE, 0), (31 * MINUTE, 5), (2 * HOUR, 10)):
            assert passed(1, network="203.0.113.7", at=late + after) == min(free, 1)
        assert passed(12, network="203.0.113.7", at=late + 31 * MINUTE) == 4, "one of the five has gone"

    @pytest.mark.django_db
    def test_processes_and_threads_at_once_are_counted_exactly(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_DOMAIN = 100
        with ProcessPoolExecutor(4, mp_context=FORK) as processes:
            counts = list(processes.map(_in_threads, range(4)))
        assert sum(counts) == 100, counts

    def test_the_keys_tell_no_address_domain_or_network_and_end_by_themselves(
        self, settings: Settings
    ) -> None:
        passed(1, address="kim@secret.example", network="203.0.113.7")
        client = quick_redis.client(settings.REDIS_URL)
        keys = list(client.scan_iter(f"{limits._PREFIX}*"))
        assert len(keys) == 5
        for key in keys:
            # No word with a letter of a hash: by chance a hash would hold it.
            assert not [part for part in ("kim", "secret", "203.0") if part in str(key)]
            assert 0 < client.ttl(key) <= 170 * 3600

    def test_two_installations_on_one_redis_count_apart(self, settings: Settings) -> None:
        settings.SIGNUPS_PER_NETWORK = 3
        assert passed(5, network="203.0.113.7") == 3
        assert limits.pressure(NOON).asked == 5
        settings.ADDRESS_PEPPER = "another installation's pepper"
        assert limits.pressure(NOON).asked == 0
        assert passed(5, network="203.0.113.7") == 3

    def test_the_pressure_tells_now_from_usual(self, settings: Settings) -> None:
        assert limits.pressure(NOON) == Pressure(0, 0, 0.0)
        for hours in range(2, 12):
            passed(6, at=NOON - hours * HOUR)
        assert limits.pressure(NOON) == Pressure(0, 0, 6.0)
        settings.SIGNUPS_PER_HOUR = 40
        passed(100, at=NOON + 30 * MINUTE)
        assert limits.pressure(NOON + 30 * MINUTE) == Pressure(100, 60, 6.0)
        assert limits.pressure(NOON + 90 * MINUTE) == Pressure(50, 30, 60 / 11)


def _in_threads(process: int) -> int:
    """Try 100 times from 4 threads, when the other processes are ready too; return how many passed."""
    START.wait(20)
    with ThreadPoolExecutor(4) as threads:
        tries = threads.map(
            lambda each: (
                limits.admit(f"r{process}-{each}@mail.example", f"198.18.{each}.{process}", at=NOON)
                is Room.FREE
            ),
            range(100),
        )
        return sum(tries)


def wish(number: int) -> Wish:
    return Wish(f"r{number}@mail.example", (), (), "", the_wording().pk, Trace("test"))


@pytest.fixture
def _no_cache(settings: Settings) -> Iterator[None]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.REDIS_URL = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        yield


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_cache")
def test_without_the_cache_as_many_pass_as_may_wait(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SIGNUPS_PER_HOUR = 5
    taken = 0
    with caplog.at_level(logging.WARNING):
        for number in range(9):
            if limits.admit(f"r{number}@secret.example", "203.0.113.7", at=NOON) is Room.FREE:
                signups.receive(wish(number), at=NOON)
                taken += 1
    assert taken == 5
    assert "without the cache" in caplog.text
    assert "secret" not in caplog.text
    signups.take_in(at=NOON)
    assert passed(1) == 1
    assert limits.may_preview("203.0.113.7", at=NOON)
    assert limits.may_ask_about_puzzle("203.0.113.7", at=NOON)


@pytest.mark.django_db
def test_a_cache_that_never_answers_holds_a_request_for_a_moment_only(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        started = time.monotonic()
        assert passed(1) == 1
        assert time.monotonic() - started < 2


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_cache")
def test_without_the_cache_the_pressure_is_told_from_the_rows() -> None:
    reader = a_reader()
    for hours in (0, 0, 30):
        ConsentEvent.objects.create(
            subscriber=reader, address_hash="1:0", kind="requested", source="test", at=NOON - hours * HOUR
        )
    signups.receive(wish(1), at=NOON)
    assert limits.pressure(NOON) == Pressure(3, 0, 3 / 168)

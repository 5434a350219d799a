"""The pace: no span holds more than its cap, whoever counts; and who is asked to wait waits."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
import redis
from django.conf import settings as configured
from pytest_django import Settings

from subscribers import pace, quick_redis
from subscribers.outcomes import Fate, Outcome, Slower
from subscribers.pace import Pacer, cache, pacer
from subscribers.pace.alone import SHARES, Memory
from subscribers.rates import Rate, by_domain, group_of, rates
from subscribers.warmup import RAMP
from tests.processes import free_port

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
TOLD = Outcome(Fate.DEFERRED, retry_after=60.0, slower=Slower.PROVIDER)


class Hands:
    """A clock that is moved by hand, and the moments at which mails left by it."""

    def __init__(self) -> None:
        self.now = NOON
        self.left: list[tuple[datetime, str]] = []

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def go(self, pacer: Pacer, domains: list[str], **options: bool) -> list[int]:
        """Let go of what may go of messages to `domains`; return their places."""
        places = list(pacer.leave(domains, **options).go)
        self.left += [(self.now, domains[place]) for place in places]
        return places


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[datetime, datetime], int]], None]:
    """Let rows be counted by what is given."""
    return lambda count: monkeypatch.setattr("subscribers.pace.windows.counters", [count])


def forgotten() -> None:
    """Empty the cache of what this test has written there."""
    client = redis.Redis.from_url(configured.REDIS_URL)
    for key in client.scan_iter(f"{cache._PREFIX}*"):
        client.delete(key)


def most_within(moments: list[datetime], seconds: float) -> int:
    """Return how many `moments` the fullest span of `seconds` holds."""
    moments, most, first = sorted(moments), 0, 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= timedelta(seconds=seconds):
            first += 1
        most = max(most, last - first + 1)
    return most


class TestRates:
    def test_what_an_operator_writes(self) -> None:
        assert rates("14/s, 500/minute") == (Rate(14, 1), Rate(500, 60))
        assert rates("50_000 / day") == (Rate(50_000, 86_400),)
        assert by_domain("gmail.com=20/s, hotmail.com=5/s") == {
            "gmail.com": (Rate(20, 1),),
            "outlook.com": (Rate(5, 1),),
        }

    @pytest.mark.parametrize("text", ["14", "0/s", "x/s", "14/week", "-1/s", "1.5/s"])
    def test_nonsense_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="is no rate"):
            rates(text)
        with pytest.raises(ValueError, match=r"."):
            by_domain(f"gmail.com={text}")

    @pytest.mark.parametrize("text", ["gmail.com", "=4/s", "gmail=4/s"])
    def test_what_is_no_domain_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="write a domain"):
            by_domain(text)

    def test_a_mailbox_provider_is_one_whatever_its_domains(self) -> None:
        assert {group_of(domain) for domain in ("gmail.com", "googlemail.com", "GMail.com")} == {"gmail.com"}
        microsoft = ("outlook.com", "hotmail.com", "live.com", "hotmail.fr", "live.co.uk", "outlook.com.br")
        assert {group_of(domain) for domain in microsoft} == {"outlook.com"}
        assert group_of("live.example.org") == "live.example.org"
        assert group_of("uni.example") == "uni.example"


@pytest.mark.usefixtures("cache_server")
class TestTogether:
    def test_no_span_ever_holds_more_than_its_cap(self, hands: Hands, settings: Settings) -> None:
        settings.SEND_RATE = (Rate(40, 1), Rate(600, 60))
        settings.DOMAIN_RATES = by_domain("gmail.com=10/s, outlook.com=5/s")
        domains = ["gmail.com", "googlemail.com", "hotmail.fr", "uni.example", "lab.example"]
        waiting = [domain for domain in domains for _ in range(2_000)]
        rng = random.Random(5)
        rng.shuffle(waiting)
        pacers = [Pacer(hands) for _ in range(3)]
        flushed = False
        while waiting:
            group = waiting[:24]
            gone = set(hands.go(rng.choice(pacers), group))
            waiting = waiting[24:] + [each for place, each in enumerate(group) if place not in gone]
            hands.on(rng.uniform(0.3, 1.5) if not gone else rng.uniform(0.0, 0.2))
            if len(waiting) < 5_000 and not flushed:
                forgotten()
                flushed = True
        assert len(hands.left) == 10_000
        everything = [moment for moment, _ in hands.left]
        assert most_within(everything, 1) <= 40
        assert most_within(everything, 60) <= 600
        for provider, cap in (("gmail.com", 10), ("outlook.com", 5)):
            theirs = [moment for moment, domain in hands.left if group_of(domain) == provider]
            assert cap * 0.6 <= most_within(theirs, 1) <= cap
        # Nearly as much as allowed went: 600 a minute, less the two minutes at the start and after the flush.
        assert (hands.now - NOON).total_seconds() < 10_000 / 600 * 60 * 1.15 + 180

    def test_a_slow_domain_takes_nothing_of_the_others(self, hands: Hands, settings: Settings) -> None:
        settings.DOMAIN_RATES = by_domain("gmail.com=1/m")
        mine = Pacer(hands)
        leave = mine.leave(["gmail.com"] * 20 + ["uni.example"] * 4)
        assert list(leave.go) == [20, 21, 22, 23]
        assert sorted(leave.put_off) == list(range(20))
        assert min(leave.put_off.values()) >= 1
        assert leave.wait == 0

    def test_an_emptied_cache_lets_nobody_burst(self, hands: Hands, settings: Settings) -> None:
        settings.SEND_RATE = (Rate(10, 1),)
        mine, flushed = Pacer(hands), False
        for _ in range(60):
            hands.go(mine, ["uni.example"] * 24)
            hands.on(0.1)
            if len(hands.left) >= 20 and not flushed:
                forgotten()
                flushed = True
        assert most_within([moment for moment, _ in hands.left], 1) <= 10
        assert len(hands.left) >= 20

    def test_a_days_quota_is_counted_from_rows_when_the_cache_has_lost_it(
        self, hands: Hands, settings: Settings, counted: Callable[..., None]
    ) -> None:
        settings.SEND_QUOTA = (Rate(1_000, 86_400),)
        sent = [NOON - timedelta(hours=hour) for hour in range(40)] * 38
        counted(lambda since, until: sum(since <= moment < until for moment in sent))
        mine = Pacer(hands)
        within = sum(NOON - timedelta(hours=24) <= moment for moment in sent)
        assert len(hands.go(mine, ["uni.example"] * 500)) <= 950 - within + 38
        assert mine.leave(["uni.example"], house=True).go == [0], "a part of it is the outbox's"
        gone = len(hands.left)
        assert gone >= 950 - within - 38
        hands.on(3_700)
        assert len(hands.go(mine, ["uni.example"] * 500)) >= 37, "what is a day old counts no more"

    def test_what_is_left_for_the_house_is_not_the_digests(
        self, hands: Hands, settings: Settings, counted: Callable[..., None]
    ) -> None:
        counted(lambda _since, _until: 0)
        settings.SEND_QUOTA = (Rate(100, 86_400),)
        mine = Pacer(hands)
        assert len(mine.leave(["uni.example"] * 100).go) == 95
        assert mine.leave(["uni.example"]).go == []
        assert mine.closed() > 0, "digests are told to wait"
        assert len(mine.leave(["uni.example"] * 100, house=True).go) == 5

    def test_turns_are_said_once_and_lie_apart(self, hands: Hands, settings: Settings) -> None:
        settings.DOMAIN_RATES = by_domain("gmail.com=2/s")
        first, second = Pacer(hands), Pacer(hands)
        turns = first.turns(["gmail.com", "uni.example", "googlemail.com"]) + second.turns(["gmail.com"])
        assert turns[1] == 0
        theirs = [turns[0], *turns[2:]]
        assert theirs == sorted(theirs)
        assert all(0.5 <= after - before < 0.6 for before, after in itertools.pairwise(theirs))

    def test_who_is_asked_to_wait_waits_whichever_worker_heard_it(self, hands: Hands) -> None:
        Pacer(hands).heard(TOLD, "uni.example")
        pacer_of_another_process = Pacer(hands)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pacer, "_memory", Memory())
            assert 60 <= pacer_of_another_process.held() <= 63
            assert pacer_of_another_process.leave(["uni.example"]).go == []
            hands.on(64)
            assert Pacer(hands).leave(["uni.example"]).go == [0]

    def test_a_wait_without_an_end_doubles_and_one_far_away_is_cut(self, hands: Hands) -> None:
        mine = Pacer(hands)
        waits = []
        for _ in range(3):
            mine.heard(Outcome(Fate.DEFERRED, slower=Slower.PROVIDER), "uni.example")
            mine.heard(Outcome(Fate.DEFERRED, slower=Slower.PROVIDER), "uni.example")  # of the same moment
            waits.append(round(mine.held()))
            hands.on(mine.held() + 0.01)
        assert waits == [5, 10, 20]
        mine.heard(Outcome(Fate.DEFERRED, retry_after=80_000.0, slower=Slower.PROVIDER), "uni.example")
        assert 3_600 <= mine.held() <= 3_800

    def test_a_domain_that_puts_us_off_again_and_again_is_left_alone_by_itself(self, hands: Hands) -> None:
        mine = Pacer(hands)
        later = Outcome(Fate.DEFERRED, "421 4.7.0 try again later", slower=Slower.DOMAIN)
        for _ in range(2):
            mine.heard(later, "hotmail.com")
        assert mine.leave(["live.com"]).go == [0], "twice may be chance"
        mine.heard(later, "hotmail.com")
        leave = mine.leave(["live.com", "uni.example"])
        assert leave.go == [1]
        assert 29 < leave.put_off[0] <= 30
        assert mine.turns(["outlook.com", "uni.example"]) == [pytest.approx(30, abs=1), 0]
        hands.on(31)
        assert mine.leave(["live.com"]).go == [0]


@pytest.mark.usefixtures("cache_server")
class TestWarmUp:
    def test_a_new_domain_sends_more_each_day_and_then_what_it_likes(
        self, hands: Hands, settings: Settings, counted: Callable[..., None]
    ) -> None:
        counted(lambda _since, _until: 0)
        settings.WARMUP_START = date(2026, 12, 1)
        many = []
        for _ in range(3):
            before = len(hands.left)
            mine = Pacer(hands)
            while hands.go(mine, ["uni.example"] * 90):
                pass
            while hands.go(mine, ["uni.example"] * 90, house=True):
                pass
            many.append(len(hands.left) - before)
            hands.on(86_400)
            pacer._memory.closed_until = 0.0
        assert tuple(many) == RAMP[:3]
        hands.on(86_400 * len(RAMP))
        assert len(hands.go(Pacer(hands), ["uni.example"] * 90)) == 90

    def test_a_day_ends_at_midnight_and_says_so(
        self, hands: Hands, settings: Settings, counted: Callable[..., None]
    ) -> None:
        settings.WARMUP_START = date(2026, 12, 1)
        counted(lambda _since, _until: 50)
        assert Pacer(hands).leave(["uni.example"]).wait == 12 * 3_600


class TestAlone:
    @pytest.fixture(autouse=True)
    def _no_cache(self, settings: Settings) -> None:
        settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    def test_a_worker_keeps_to_its_share_and_goes_on(self, hands: Hands, settings: Settings) -> None:
        settings.SEND_RATE = (Rate(32, 1),)
        mine = Pacer(hands)
        for _ in range(400):
            hands.go(mine, ["uni.example"] * 5)
            hands.on(0.05)
        assert most_within([moment for moment, _ in hands.left], 1) <= 32 / SHARES
        assert len(hands.left) >= 30

    def test_the_domains_rates_hold_too(self, hands: Hands, settings: Settings) -> None:
        settings.DOMAIN_RATES = by_domain("gmail.com=16/s")
        mine = Pacer(hands)
        for _ in range(100):
            hands.go(mine, ["gmail.com", "gmail.com", "uni.example"])
            hands.on(0.1)
        went = Counter(domain for _, domain in hands.left)
        assert went["uni.example"] == 100
        assert 8 <= went["gmail.com"] <= 10

    def test_waits_are_kept_by_the_worker_that_heard_of_them(self, hands: Hands) -> None:
        mine = Pacer(hands)
        mine.heard(TOLD, "uni.example")
        assert mine.leave(["uni.example"]).go == []
        hands.on(64)
        assert mine.leave(["uni.example"]).go == [0]

    def test_a_cache_that_is_away_is_asked_once_in_a_while_only(
        self, hands: Hands, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.SEND_RATE = (Rate(1, 1),)
        asked: list[str] = []
        client = quick_redis.client(settings.REDIS_URL)
        monkeypatch.setattr(client.connection_pool, "get_connection", _refusing(asked))
        mine = Pacer(hands)
        for _ in range(20):
            mine.leave(["uni.example"])
        assert len(asked) == 1


def _refusing(asked: list[str]) -> Callable[..., None]:
    def get_connection(*_args: object, **_options: object) -> None:
        asked.append(threading.current_thread().name)
        raise redis.ConnectionError

    return get_connection


def test_both_apps_have_their_mails_counted() -> None:
    assert [count.__module__ for count in pace.counters] == ["digest.delivery.counting", "subscribers.outbox"]

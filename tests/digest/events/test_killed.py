"""kill -9 at six stages of a webhook's way, on a real gunicorn and a real worker: the counts are the same."""

import http.client
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from digest import tasks
from digest.events.applying import apply_waiting
from digest.models import BounceVerdict, Delivery, ProviderEvent
from subscribers.models import Subscriber, Suppression
from tests.cast import NOON, a_frozen_edition, a_paper, a_reader
from tests.digest.events.mortal_stages import STAGES
from tests.digest.events.posts import SECRET, Post, basic, postmark
from tests.processes import descendants, free_port, status, wait_until
from tests.subscribers.importing.test_killed import environment

pytestmark = pytest.mark.django_db(transaction=True)
MORTAL = "tests.digest.events.mortal"
TOLD = ("delivered", "gone", "complained", "full", "policy", "left")
MEGABYTE = 1024 * 1024


class House:
    """A web and a worker that run: `die(stage)` lets one of them die there, once."""

    def __init__(self, folder: Path) -> None:
        self.file, self.port, self.folder = folder / "stage", free_port(), folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, *, worker: bool) -> None:
        """Start, and wait for the web to answer."""
        more = {
            "ANYMAIL_PROVIDER": "postmark",
            "POSTMARK_SERVER_TOKEN": "invented",
            "WEBHOOK_SECRET": SECRET,
            "REDIS_URL": settings.REDIS_URL,
            "MORTAL": str(self.file),
        }
        where = f"127.0.0.1:{self.port}"
        commands = [["gunicorn", f"{MORTAL}:application", "--bind", where, "--threads", "2"]]
        if worker:
            commands.append(["celery", "-A", MORTAL, "worker", "--concurrency", "1", "--loglevel", "ERROR"])
        for command in commands:
            self.started.append(
                subprocess.Popen(
                    [sys.executable, "-m", *command],
                    cwd=settings.BASE_DIR,
                    env={**os.environ, **environment(self.folder), **more},
                    stdout=(self.folder / command[0]).open("ab"),
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        assert wait_until(lambda: status(self.port, "/webhooks/postmark/tracking/") == 405, 60), self.said()

    def said(self) -> str:
        return "".join((self.folder / name).read_text()[-2000:] for name in ("gunicorn", "celery"))

    def stop(self) -> None:
        for process in self.started:
            process.terminate()
        for process in self.started:
            process.wait(60)

    def post(self, one: Post) -> int:
        """Return the answer's status, 0 if none came."""
        there = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            there.request("POST", one.way, one.body, {**one.headers, "Content-Type": "application/json"})
            return there.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            there.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.stop()


def the_posts() -> list[Post]:
    """Return what a provider posts of eighteen readers' digests."""
    edition = a_frozen_edition(NOON.date(), a_paper(), state="sending")
    posts = []
    for number in range(18):
        reader = a_reader(f"reader{number}@domain{number}.example")
        delivery = Delivery.objects.create(
            edition=edition,
            subscriber=reader,
            address_hash=reader.address_hash,
            state=("accepted", "unknown")[number % 2],
            local_date=edition.day,
            not_before=NOON,
            expires_at=NOON,
            submitted_at=NOON,
        )
        heard = [TOLD[number % 6], "delivered"] if number % 4 == 1 else [TOLD[number % 6]]
        named = {"delivery": delivery.public_id}
        posts += [postmark(what, named, reader.address, serial=number) for what in heard]
    return posts


FACTS = ("delivered_at", "soft_bounced_at", "bounced_at", "complained_at", "left_at", "state")


def counts() -> list[Any]:
    """Return what must be equal whoever died."""
    return [
        ProviderEvent.objects.count(),
        ProviderEvent.objects.filter(applied_at=None).count(),
        list(Delivery.objects.order_by("pk").values_list(*FACTS)),
        sorted(Suppression.objects.values_list("address_hash", "reason", "source")),
        sorted(BounceVerdict.objects.values_list("source", "state")),
        list(Subscriber.objects.order_by("pk").values_list("status", flat=True)),
    ]


def undone(before: Sequence[Mapping[str, Any]]) -> None:
    """Put everything back to where nothing had been heard."""
    for model in (ProviderEvent, Suppression, BounceVerdict):
        model.objects.all().delete()
    Subscriber.objects.update(status="active", status_at=NOON)
    for row in before:
        Delivery.objects.filter(pk=row["id"]).update(**row)


@pytest.mark.postgres
@pytest.mark.usefixtures("broker")
def test_kill_9_at_six_stages_replays_to_the_same_counts(house: House) -> None:
    posts = the_posts()
    before = list(Delivery.objects.values())
    house.start(worker=True)

    def told(stage: str) -> list[Any]:
        if stage:
            house.file.write_text(stage)
        for one in posts:
            # The provider posts again until it is answered.
            assert wait_until(lambda one=one: house.post(one) == 200, 60), house.said()  # type: ignore[misc]

        def applied() -> bool:
            tasks.apply_events.apply_async(expires=30)  # as the beat does every ten seconds
            return wait_until(lambda: not ProviderEvent.objects.filter(applied_at=None).exists(), 4)

        assert wait_until(applied, 90), house.said()
        assert not house.file.exists(), f"nobody died at {stage}"
        found = counts()
        undone(before)
        return found

    whole = told("")
    assert whole[:2] == [len(posts), 0]
    assert {status for *_facts, status in whole[2]} == {"accepted", "rejected"}
    assert len(whole[3]) > 3
    for stage in STAGES:
        assert told(stage) == whole, stage
    assert apply_waiting(at=NOON) == 0


def test_a_large_body_costs_no_memory_announced_or_not(house: House) -> None:
    house.start(worker=False)

    def most() -> int:
        """Return the most memory in kB that any process of the web has had."""
        pids = {house.started[0].pid, *descendants(house.started[0].pid)}
        stats = [Path(f"/proc/{pid}/status").read_text() for pid in pids]
        return max(int(found[1]) for stat in stats if (found := re.search(r"VmHWM:\s+(\d+)", stat)))

    def send(body: Any, headers: dict[str, str]) -> int:
        there = http.client.HTTPConnection("127.0.0.1", house.port, timeout=30)
        try:
            there.request("POST", "/webhooks/postmark/tracking/", body, {"Authorization": basic(), **headers})
            return there.getresponse().status
        except BrokenPipeError:
            return there.getresponse().status  # refused before all of it was sent
        finally:
            there.close()

    assert send(b"{", {}) == 400
    start = most()
    for _ in range(3):
        assert send(b" " * (10 * MEGABYTE), {}) == 413
        assert send((b" " * MEGABYTE for _ in range(10)), {"Transfer-Encoding": "chunked"}) == 411
    assert most() - start < 8 * 1024
    assert house.post(postmark("delivered", {}, "ada@example.org")) == 200, "and the web works on"

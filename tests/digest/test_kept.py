"""Tests of digest.kept where it is seen: on the front page, with a real cache."""

import re
import socket
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import pytest
import redis
import time_machine
from django.conf import settings as ours
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from digest import curation, kept
from digest.models import Candidate, Edition, EditionTerms, Paper
from digest.views.listing import PER_PAGE
from tests.cast import NOON, a_frozen_edition, a_paper, a_topic
from tests.digest.looking import seen

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 4)


@pytest.fixture(autouse=True)
def _on_the_day(settings: Settings) -> Iterator[None]:
    """Look at the page on DAY, with a cache of its own that no other test fills."""
    kept._Weather.away_until = 0.0
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid4().hex}}
    with time_machine.travel(NOON):
        yield


def stored() -> tuple["redis.Redis", list[bytes]]:
    """Return the cache's server, and the keys of the pieces in it."""
    server = redis.Redis.from_url(ours.REDIS_URL)
    return server, list(server.scan_iter(f"{ours.CACHES['default']['KEY_PREFIX']}:*"))


@pytest.mark.usefixtures("broker")
def test_a_second_visitor_gets_the_papers_from_the_cache(client: Client) -> None:
    a_frozen_edition(DAY, a_paper("Kept"))
    first, second = client.get("/"), client.get("/")
    assert "web/papers.html" in {template.name for template in first.templates}
    assert not {"web/papers.html", "web/preview.html"} & {template.name for template in second.templates}
    assert second.content.decode().count("Kept") == first.content.decode().count("Kept") >= 2


@pytest.mark.usefixtures("broker")
def test_what_curators_decide_is_seen_at_once_though_papers_are_cached(client: Client) -> None:
    papers = [a_paper("First", upvotes=9), a_paper("Second", upvotes=5), a_paper("Third", upvotes=1)]
    edition = a_frozen_edition(DAY, *papers, state=Edition.State.PAUSED)
    assert seen(client, "/").count("<article") == 3
    curation.pin(edition, papers[2])
    page = seen(client, "/")
    assert "Editor’s pick" in page
    listed = page[page.index("<article") :]
    assert listed.index("Third") < listed.index("First")
    curation.annotate(edition, papers[1], "Read this.")
    assert "Read this." in seen(client, "/")
    curation.hide(edition, papers[0])
    page = seen(client, "/")
    assert "First" not in page, "neither below nor in the preview"
    curation.annotate_edition(edition, "A word to all.")
    assert "A word to all." in seen(client, "/")


@pytest.mark.usefixtures("broker")
def test_votes_pictures_new_versions_and_topics_are_seen_at_once(client: Client) -> None:
    topic = a_topic("vision", name="Vision")
    a_frozen_edition(DAY, a_paper("Before", topic))
    assert "Before" in seen(client, "/")
    Candidate.objects.update(upvotes=77)
    assert ">77 votes<" in seen(client, "/")
    Paper.objects.update(title="After", thumbnail="thumbnails/new.jpg", thumbnail_width=3, thumbnail_height=2)
    page = seen(client, "/")
    assert "Before" not in page
    assert "/thumbnails/new.jpg" in page
    a_topic("vision", name="Sight")
    assert ">Sight</a>" in seen(client, "/")
    Paper.objects.update(withdrawn_at=NOON)
    assert "After" not in seen(client, "/")


@pytest.mark.usefixtures("broker")
def test_the_form_is_kept_for_a_minute_but_a_new_topic_is_on_offer_at_once(client: Client) -> None:
    def stamp(page: str) -> str:
        found = re.search(r'name="stamp" value="([^"]+)"', page)
        assert found
        return found[1]

    first = seen(client, "/")
    with time_machine.travel(NOON + timedelta(seconds=59)):
        assert stamp(seen(client, "/")) == stamp(first)
        a_topic("knitting")
        assert 'value="knitting"' in seen(client, "/")
    with time_machine.travel(NOON + timedelta(seconds=60)):
        assert stamp(seen(client, "/")) != stamp(first)
    assert " checked" in seen(client, "/?topic=knitting")
    assert " checked" not in seen(client, "/")


def test_without_a_cache_the_page_is_the_same_and_the_cache_is_left_alone_for_a_while(
    client: Client, settings: Settings
) -> None:
    callers = 0
    with socket.create_server(("127.0.0.1", 0)) as broken:
        port = broken.getsockname()[1]
        settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"redis://127.0.0.1:{port}"}}
        a_frozen_edition(DAY, a_paper("Still there"))

        def hang_up() -> None:
            nonlocal callers
            while True:
                try:
                    broken.accept()[0].close()
                except OSError:
                    return
                callers += 1

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        assert "Still there" in seen(client, "/")
        tried = callers
        assert tried
        for _ in range(3):
            assert "Still there" in seen(client, "/")
        assert callers == tried
        broken.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.usefixtures("broker")
@pytest.mark.parametrize("junk", [b"junk", b"\x80\x04.", b"cno.such\nthing\n.", b"\x80\x04\x95"])
def test_what_cannot_be_read_from_the_cache_is_made_anew(client: Client, junk: bytes) -> None:
    a_frozen_edition(DAY, a_paper("Still there"))
    seen(client, "/")
    server, keys = stored()
    assert len(keys) >= 3
    for key in keys:
        server.set(key, junk)
    assert "Still there" in seen(client, "/")
    assert junk not in [server.get(key) for key in keys], "and kept again"
    for key in keys:
        cache.set(key.decode().split(":", 2)[2], "no bytes")
    assert "Still there" in seen(client, "/")


@pytest.mark.usefixtures("broker")
def test_a_piece_is_kept_compressed_and_not_for_long(client: Client) -> None:
    a_frozen_edition(DAY, *[a_paper() for _ in range(PER_PAGE)])
    page = seen(client, "/")
    server, keys = stored()
    assert sum(server.strlen(key) for key in keys) < len(page) / 3
    assert all(0 < server.ttl(key) <= kept.KEPT for key in keys)


@pytest.mark.usefixtures("broker")
def test_a_preview_that_cannot_be_made_is_tried_again_at_once(client: Client) -> None:
    terms = EditionTerms.objects.create(
        edition=a_frozen_edition(DAY, a_paper("Mended")), documents=1, packed=b"broken"
    )
    assert "No preview just now" in seen(client, "/")
    terms.delete()
    assert "No preview just now" not in seen(client, "/")

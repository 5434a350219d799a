"""The measuring side of tests.bench.desk: furnishes the database it is given, then opens every page."""

import logging
import os
import statistics
import sys
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digest.settings")
django.setup()
logging.disable()  # looking for the pages, many are asked for that refuse

# Django must be set up before its models are imported.
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, reset_queries  # noqa: E402
from django.test import Client, override_settings  # noqa: E402

from digest.models import Edition  # noqa: E402
from tests.bench.desk_pages import DeskPage, all_pages  # noqa: E402
from tests.bench.furnishing import Furniture, furnish  # noqa: E402

TIMES = 5
PLAIN = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


def main(readers: int, papers: int, *, furnished: bool) -> int:
    """Print the table; return 1 if a page is over its limit."""
    call_command("migrate", verbosity=0)
    if not furnished:
        begun = time.perf_counter()
        furnish(Furniture(readers=readers, papers=papers))
        print(f"{readers:,} readers and deliveries, {papers:,} papers: {time.perf_counter() - begun:.0f} s")
    changes = {
        "DEBUG": False,
        "ALLOWED_HOSTS": ["testserver"],
        "SECURE_SSL_REDIRECT": False,
        "ADMIN_TWO_FACTOR": False,
        "STORAGES": {**settings.STORAGES, "staticfiles": PLAIN},
    }
    with override_settings(**changes):
        return measured()


def measured() -> int:
    """Open every page TIMES times, after once."""
    client = Client()
    client.force_login(User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)[0])
    large = Edition.objects.filter(state="sending").latest("day")
    pages = all_pages(client.get, Edition.objects.latest("day"), large)
    rows = [(page, *took(client, page)) for page in pages]
    print(f"{'median ms':>10}{'limit':>7}{'queries':>9}  page")
    over = 0
    for page, middle, queries in sorted(rows, key=lambda row: -row[1]):
        slow = middle > page.limit
        over += slow
        print(f"{middle:10.0f}{page.limit:7}{queries:9}  {page.path}{'  TOO SLOW' if slow else ''}")
    print(f"{len(rows)} pages, {over} over their limit")
    return int(over > 0)


def took(client: Client, page: DeskPage) -> tuple[float, int]:
    """Return the median milliseconds of the page, and how many questions it asks."""
    milliseconds = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        answer: Any = client.get(page.path)
        milliseconds.append(1_000 * (time.perf_counter() - begun))
        assert answer.status_code == 200, page.path
    connection.force_debug_cursor = True
    reset_queries()
    client.get(page.path)
    connection.force_debug_cursor = False
    return statistics.median(milliseconds), len(connection.queries)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), furnished="--furnished" in sys.argv))

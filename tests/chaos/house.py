"""A process with the product's settings of one mode, in which runs take place one after another.

    python -m tests.chaos.house prepare MODE   makes the templates
    python -m tests.chaos.house serve MODE     reads a line of JSON a run, answers with a line of JSON

Its environment is made by `matrix`. Everything is imported once; workers are forked from it.
"""

import json
import os
import shutil
import sys
import traceback
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django first
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from tests.chaos import crew, places, world  # noqa: E402
from tests.chaos.nursery import Nursery  # noqa: E402
from tests.chaos.postbox import Postbox  # noqa: E402
from tests.chaos.running import Stage  # noqa: E402
from tests.chaos.sink import Sink  # noqa: E402
from tests.chaos.steps import plan  # noqa: E402


def prepare() -> None:
    """Make both templates: the environment's database is made, filled, copied, frozen, copied again."""
    server = os.environ.get("DATABASE_URL", "")
    stem, templates = os.environ["CHAOS_STEM"], Path(os.environ["CHAOS_TEMPLATES"])
    if server:
        name = str(settings.DATABASES["default"]["NAME"])
        places.make_database(places.renamed(server, "postgres"), name)
    call_command("migrate", verbosity=0)
    world.fill()
    for template in (places.OPEN, places.APPROVED):
        if template == places.APPROVED:
            world.freeze()
        if server:
            connections.close_all()
            copy = places.template_name(stem, template)
            places.make_database(places.renamed(server, "postgres"), copy, template=name)
        else:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connections.close_all()
            shutil.copy(settings.DATABASES["default"]["NAME"], templates / f"{template}.sqlite3")
    if server:
        places.drop_database(places.renamed(server, "postgres"), name)


def serve() -> None:
    """Do the runs that standard input names."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever prints must not be taken for an answer
    nursery = Nursery()  # before there is any thread or connection
    data = Path(settings.DATA_DIR)
    place: places.Place
    if "DATABASE_URL" in os.environ:
        place = places.Shared(
            data, os.environ["DATABASE_URL"], os.environ["REDIS_URL"], os.environ["CHAOS_STEM"]
        )
    else:
        place = places.Embedded(data, settings.VALKEY_SOCKET, Path(os.environ["CHAOS_TEMPLATES"]))
    port = int(os.environ["CHAOS_PORT"])
    server = Postbox(port) if settings.ANYMAIL_PROVIDER else Sink(port)
    stage = Stage(place, nursery, crew.listen(nursery), server, data / "run")
    try:
        for wish in map(json.loads, sys.stdin):
            try:
                figures = stage.run(plan(wish["step"], wish["seed"], nth=wish["nth"]))
            except Exception as error:  # noqa: BLE001 - a run that broke is a fault, and the next one comes
                traceback.print_exc()
                figures = {"faults": [f"the run broke: {type(error).__name__}: {error}"]}
            answers.write(json.dumps(figures) + "\n")
            answers.flush()
    finally:
        connections.close_all()
        place.close()
        nursery.close()


if __name__ == "__main__":
    {"prepare": prepare, "serve": serve}[sys.argv[1]]()

"""The web and a worker that die by kill -9 at a named stage of a webhook's way, once, when a file says so.

`gunicorn tests.digest.events.mortal:application`, `celery -A tests.digest.events.mortal worker`. The file
that MORTAL names holds the stage; whoever comes there takes it away and dies. The product has no hooks.
"""

import functools
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digest.settings")

from digest.celery import app as celery_app
from digest.wsgi import application as web

from digest.events import applying, keeping  # isort: skip - Django is set up by the two above
from digest.views import webhooks
from subscribers import lifecycle

app = celery_app


def die_at(stage: str) -> None:
    """Die, if this stage is the one."""
    file = Path(os.environ["MORTAL"])
    try:
        if file.read_text() == stage:
            file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
    except FileNotFoundError:
        return


def wrap(owner: Any, name: str, *, before: str = "", after: str = "") -> None:
    """Let calls of owner.name be stages."""
    function: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(function)
    def mortal(*args: Any, **named: Any) -> Any:
        die_at(before)
        result = function(*args, **named)
        die_at(after)
        return result

    setattr(owner, name, mortal)


class Answer:
    """What the web answers; told when all of it has gone out."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self.parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.parts)

    def close(self) -> None:
        """Close the answer: the server has written it."""
        getattr(self.parts, "close", lambda: None)()
        die_at("answered")


def application(environ: dict[str, Any], start_response: Any) -> Answer:
    """Answer as the product's own application does."""
    return Answer(web(environ, start_response))


applying.PAGE = 5  # so that there is a next page
wrap(keeping, "keep", before="before storing")
wrap(webhooks, "_kept", after="stored")
wrap(applying, "_state_facts", after="before the commit")
wrap(applying, "_apply", after="committed")
wrap(lifecycle, "suppress", after="suppressing")

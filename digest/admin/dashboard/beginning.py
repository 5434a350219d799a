"""A new installation: what is not there yet, and what brings it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model
from django.http import HttpRequest

from digest.admin import ways
from digest.models import IngestRun, Paper
from subscribers.models import ImportJob, Subscriber


@dataclass(frozen=True, slots=True)
class FirstStep:
    """What is missing, what to do about it, and a link where a page does it."""

    title: str
    told: str
    command: str = ""
    url: str = ""
    link: str = ""


def first_steps(request: HttpRequest, _at: datetime) -> list[FirstStep]:
    """Return what a new installation lacks; nothing for one that has papers and readers."""
    steps = []
    if _is_empty(Paper):
        steps.append(
            FirstStep(
                "No papers yet",
                "The sources are asked by the clock while a worker and beat run. Or ask them now, on the "
                "server, for today and the days before:",
                "manage.py ingest",
                ways.rows(request, IngestRun),
                "Receipts of what was asked",
            )
        )
    if _is_empty(Subscriber):
        steps.append(
            FirstStep(
                "No readers yet",
                "People sign up at the front page; its form can stand on your own site too. "
                "Readers of a list that you have already come in by a file.",
                url=ways.rows(request, ImportJob),
                link="Import readers",
            )
        )
    return steps


def _is_empty(model: type[Model]) -> bool:
    """Say whether there is no row, by the key's index: a table's own front may be all dead rows."""
    return model._default_manager.order_by("pk").values_list("pk").first() is None

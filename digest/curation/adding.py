"""A paper put into an edition by hand."""

from datetime import date

from django.db.models import F

from digest import editions
from digest.curation.deciding import CLOCK, SHAPEABLE, By, CurationError, Kind, deciding, record
from digest.models import Appearance, Candidate, Decision, Edition, Paper

#: Stands among a candidate's sources where no source but a person brought it.
CURATOR = "curator"
#: An empty edition is frozen by its first paper.
ADDABLE = (*SHAPEABLE, Edition.State.EMPTY)


def add(edition: Edition, paper: Paper, *, by: By = CLOCK) -> Decision:
    """Make a stored paper a candidate of the edition; an empty edition is frozen from then on.

    Where it appeared up to that day, too, is this edition's now, so that the next does not bring it again.
    """
    with deciding(edition, ADDABLE) as locked:
        if paper.withdrawn_at is not None:
            raise CurationError(f"{paper.quoted} was withdrawn by its authors. It was not added.")
        if locked.candidates.filter(paper=paper).exists():
            raise CurationError(f"{paper.quoted} is in this edition already. Search for its title.")
        before = locked.state
        loose = Appearance.objects.filter(paper=paper, edition=None, day__lte=locked.day)
        claimed = list(loose.order_by("pk").values_list("pk", flat=True))
        Candidate.objects.create(
            edition=locked,
            paper=paper,
            featured_on=_featured_on(locked, paper),
            sources=[CURATOR],
            upvotes=paper.upvotes,
            comments=paper.comments,
            stars=paper.stars,
        )
        loose.update(edition=locked)
        _count(locked, 1)
        if before == Edition.State.EMPTY:
            editions.move(locked, Edition.State.FROZEN, allowed=[Edition.State.EMPTY])
        return record(
            locked,
            Kind.ADDED,
            by,
            paper=paper,
            before={"candidate": False, "state": before},
            after={"candidate": True, "state": locked.state, "claimed": claimed},
        )


def take_out(edition: Edition, row: Candidate, added: Decision, *, by: By) -> Decision:
    """Undo `added` in the locked edition; one that was empty before is empty again."""
    if row.pin is not None or row.hidden or row.note:
        raise CurationError(
            f"{row.paper.quoted} was pinned, hidden or noted since it was added. Undo that first."
        )
    paper, before = row.paper, edition.state
    claimed = Appearance.objects.filter(pk__in=added.after.get("claimed", []), edition=edition)
    claimed.filter(source=CURATOR).delete()
    claimed.update(edition=None)
    row.delete()
    _count(edition, -1)
    was_empty = added.before.get("state") == Edition.State.EMPTY
    if was_empty and before == Edition.State.FROZEN and not edition.candidates.exists():
        editions.move(edition, Edition.State.EMPTY, allowed=[Edition.State.FROZEN])
    return record(
        edition,
        Kind.ADDED,
        by,
        paper=paper,
        before={"candidate": True, "state": before},
        after={"candidate": False, "state": edition.state},
        undoes=added,
    )


def _featured_on(edition: Edition, paper: Paper) -> date:
    days = paper.appearances.filter(day__lte=edition.day).order_by("-day").values_list("day", flat=True)
    return days.first() or edition.day


def _count(edition: Edition, more: int) -> None:
    Edition.objects.filter(pk=edition.pk).update(candidate_count=F("candidate_count") + more)

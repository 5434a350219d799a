"""What became of an edition's digests, paper by paper and hour by hour: walked through in pages, and kept.

A walk goes over the accepted deliveries in their order and keeps where it is after each page, so that it
goes on after a kill or in the next run. Two workers at once do no harm: a page is written only where the
other has not been. Finished, it becomes the figures that pages show; the next walk begins anew, since facts
arrive for days.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q

from digest import reasons
from digest.clicking import humans
from digest.models import Candidate, CandidateFigures, Click, Delivery, Edition, EditionTally
from subscribers import stopping

#: Deliveries read at once: some megabytes of picks.
PAGE = 5_000
#: How old figures may grow while an edition is so old; what is older than all of these is not walked again.
AGES = (
    (timedelta(days=1), timedelta(minutes=5)),
    (timedelta(days=3), timedelta(hours=1)),
    (timedelta(days=14), timedelta(days=1)),
)
#: A walk rests this many times as long as it took.
REST = 20
#: Places in a paper's row of figures.
DIGESTS, PINNED, AGREED, CLICKS, ROBOTS = range(5)
#: What weighs most is what counts of a delivery: complaint, hard bounce, soft bounce, arrival, nothing.
HEARD = ("complained", "bounced", "soft_bounced", "delivered")
_ALIVE = (Edition.State.SENDING, Edition.State.SENT, Edition.State.PAUSED, Edition.State.CANCELLED)


class _Row(NamedTuple):
    pk: int
    picks: list[tuple[int, str]]
    settled_at: datetime | None
    clicks_counted: bool
    complained_at: datetime | None
    bounced_at: datetime | None
    soft_bounced_at: datetime | None
    delivered_at: datetime | None


def tally_due(*, at: datetime, seconds: float = 45) -> int:
    """Walk on through what is out of date, the newest edition first, for at most `seconds`.

    Returns how many walks were finished.
    """
    stop_at, finished = monotonic() + seconds, 0
    for edition in _due(at):
        if stopping.told() or monotonic() >= stop_at:
            break
        finished += walk(edition, at=at, seconds=stop_at - monotonic())
    return finished


def _due(at: datetime) -> Iterator[Edition]:
    oldest = (at - AGES[-1][0]).date() - timedelta(days=1)
    # By its approval, too: a back issue that was let go weeks after its day is as new.
    young = Q(day__gte=oldest) | Q(approved_at__gte=at - AGES[-1][0])
    editions = Edition.objects.filter(young, state__in=_ALIVE, enrolled__gt=0)
    for edition in editions.select_related("tally").order_by("-day"):
        if is_due(edition, at=at):
            yield edition


def is_due(edition: Edition, *, at: datetime) -> bool:
    """Say whether the kept figures of `edition` are to be reckoned anew."""
    kept: EditionTally | None = getattr(edition, "tally", None)
    if kept is None or kept.at is None or kept.upto:
        return True
    began = edition.approved_at or edition.opened_at
    every = next((every for age, every in AGES if at - began < age), None)
    return every is not None and abs(at - kept.at) >= max(every, timedelta(seconds=REST * kept.took))


def walk(edition: Edition, *, at: datetime, seconds: float = 45) -> bool:
    """Walk on through the deliveries of `edition`, a page at least; return whether it is finished."""
    begun = monotonic()
    tally, _new = EditionTally.objects.get_or_create(edition=edition)
    while True:
        since = monotonic()
        rows = _page(edition, tally.upto)
        working = _reckoned(tally.working if tally.upto else {}, rows)
        took = (tally.took if tally.upto else 0) + monotonic() - since
        if len(rows) < PAGE:
            return _finish(tally, working, took, at)
        if not _write(tally, working=working, upto=rows[-1].pk, took=took):
            return False  # another worker is at it
        if stopping.told() or monotonic() - begun >= seconds:
            return False
        tally.refresh_from_db()


def _page(edition: Edition, upto: int) -> list[_Row]:
    accepted = Delivery.objects.filter(edition=edition, state=Delivery.State.ACCEPTED, pk__gt=upto)
    return [_Row(*row) for row in accepted.order_by("pk").values_list(*_Row._fields)[:PAGE]]


def _reckoned(before: Mapping[str, Any], rows: list[_Row]) -> dict[str, Any]:
    """Return what was found `before` and in `rows` together."""
    hours: dict[str, list[int]] = defaultdict(lambda: [0, 0], before.get("hours", {}))
    heard: dict[str, int] = defaultdict(int, before.get("heard", {}))
    papers: dict[str, list[int]] = defaultdict(lambda: [0] * 5, before.get("papers", {}))
    found: dict[str, Any] = {name: before.get(name, 0) for name in ("agreed", "clicked", "scanned")}
    clicks = _clicks([row.pk for row in rows if row.clicks_counted])
    for row in rows:
        for moment, place in ((row.settled_at, 0), (row.delivered_at, 1)):
            if moment is not None:
                hours[_hour(moment)][place] += 1
        heard[_worst(row)] += 1
        people, robots = clicks.get(row.pk, (set(), set()))
        found["agreed"] += row.clicks_counted
        found["clicked"] += bool(people)
        found["scanned"] += bool(robots and not people)
        for paper, reason in row.picks:
            figures = papers[str(paper)]
            figures[DIGESTS] += 1
            figures[PINNED] += reason == reasons.PINNED
            figures[AGREED] += row.clicks_counted
            figures[CLICKS] += paper in people
            figures[ROBOTS] += paper in robots and paper not in people
    return {**found, "hours": dict(hours), "heard": dict(heard), "papers": dict(papers)}


def _worst(row: _Row) -> str:
    return next((fact for fact in HEARD if getattr(row, f"{fact}_at") is not None), "nothing")


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H}"


def _clicks(deliveries: list[int]) -> dict[int, tuple[set[int], set[int]]]:
    """Return {delivery: (papers that a person followed, papers that a program did)}."""
    if not deliveries:
        return {}
    by_delivery: dict[int, list[Click]] = defaultdict(list)
    for click in Click.objects.filter(delivery__in=deliveries).order_by("delivery_id", "at", "pk"):
        by_delivery[click.delivery_id].append(click)
    found = {}
    for key, clicks in by_delivery.items():
        people = humans(clicks)
        found[key] = (
            {click.paper_id for click in people},
            {click.paper_id for click in clicks if click not in people},
        )
    return found


def _finish(tally: EditionTally, working: dict[str, Any], took: float, at: datetime) -> bool:
    """Make what was found the figures that pages show."""
    with transaction.atomic():
        if not _write(tally, found=working, working={}, upto=0, took=took, at=at):
            return False
        candidates = Candidate.objects.filter(edition=tally.edition_id).values_list("pk", "paper_id")
        rows = [
            CandidateFigures(
                candidate_id=pk,
                **dict(zip(_COLUMNS, working["papers"].get(str(paper), [0] * 5), strict=True)),
            )
            for pk, paper in candidates
        ]
        CandidateFigures.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["candidate"], update_fields=_COLUMNS
        )
    return True


_COLUMNS = ("digests", "pinned", "agreed", "clicks", "robots")


def _write(tally: EditionTally, **fields: object) -> bool:
    """Write the walk's progress, unless another worker has moved it since it was read."""
    mine = EditionTally.objects.filter(edition=tally.edition_id, upto=tally.upto, at=tally.at)
    return bool(mine.update(**fields))

"""What became of an edition, put together from kept figures alone: nothing large is counted for it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from digest.halting import BOUNCES, COMPLAINTS, Limit
from digest.models import (
    Candidate,
    CandidateFigures,
    Delivery,
    Edition,
    EditionFigures,
    EditionReach,
    EditionTally,
)
from digest.reaching import about, is_stale

#: Hours that the course of an edition is drawn over; what is told later is in the sums.
MOST_HOURS = 72
_HOUR = timedelta(hours=1)
_HEARD = {
    "delivered": "Arrived, and nothing worse was heard",
    "soft_bounced": "Refused for now (soft bounce)",
    "bounced": "Refused for good (hard bounce)",
    "complained": "Reported as spam",
    "nothing": "Nothing was heard",
}


@dataclass(frozen=True, slots=True)
class Share:
    """A figure and what it is a part of; `verdict` is good, warn, bad or few where there is a limit."""

    name: str
    count: int
    of: int
    of_what: str
    limit: str = ""
    verdict: str = ""

    @property
    def percent(self) -> str:
        """The share in percent, as exact as its size asks; empty of nothing."""
        return percent(self.count, self.of)


@dataclass(frozen=True, slots=True)
class PaperLine:
    """What became of one paper."""

    title: str
    identity: str
    pin: int | None
    digests: int
    pinned: int
    agreed: int
    clicks: int
    robots: int

    @property
    def click_rate(self) -> str:
        """Of a hundred digests whose readers agreed, in how many a person followed it."""
        return percent(self.clicks, self.agreed)


@dataclass(frozen=True, slots=True)
class PinLine:
    """What pinning one paper added: readers, by the sample that reach is reckoned from."""

    paper: PaperLine
    reached: int
    by_itself: int

    @property
    def added(self) -> int:
        """How many got it because it was pinned."""
        return max(self.reached - self.by_itself, 0)


@dataclass(frozen=True, slots=True)
class Pins:
    """What the curators' pins added over the ranker."""

    lines: Sequence[PinLine]
    sample: int
    readers: int
    stale: bool
    rate: str
    rest_rate: str


@dataclass(frozen=True, slots=True)
class Report:
    """All that the page shows, and its tables as files."""

    edition: Edition
    figures: EditionFigures | None
    tally: EditionTally | None
    shares: Sequence[Share]
    hours: Sequence[tuple[datetime, int, int]]
    heard: Sequence[tuple[str, int, str]]
    papers: Sequence[PaperLine]
    pins: Pins | None

    @property
    def left(self) -> int:
        """How many digests the wire took."""
        return self.figures.states.get(Delivery.State.ACCEPTED, 0) if self.figures else 0

    @property
    def agreed(self) -> int:
        """Of how many digests the readers let clicks be counted."""
        return int(self._found("agreed"))

    @property
    def scanned(self) -> int:
        """Of how many of those only programs followed links."""
        return int(self._found("scanned"))

    @property
    def is_heard_of(self) -> bool:
        """Whether a provider told anything of this edition."""
        return any(
            count for name, count in (self.figures.facts if self.figures else {}).items() if name != "left"
        )

    def _found(self, name: str) -> Any:  # noqa: ANN401 - what a walk found
        return self.tally.found.get(name, 0) if self.tally else 0


def percent(count: int, of: int) -> str:
    """Return `count` in percent of `of`; small shares with two places, since limits lie there."""
    if not of:
        return ""
    share = 100 * count / of
    return (
        f"{share:.0f} %" if share >= 10 or not count else f"{share:.1f} %" if share >= 1 else f"{share:.2f} %"
    )


def report(edition: Edition) -> Report:
    """Return what became of `edition`, as it was counted last."""
    figures = EditionFigures.objects.filter(edition=edition).first()
    tally = EditionTally.objects.filter(edition=edition, at__isnull=False).first()
    found = tally.found if tally else {}
    papers = list(_papers(edition))
    return Report(
        edition=edition,
        figures=figures,
        tally=tally,
        shares=_shares(figures, found) if figures else [],
        hours=_hours(found.get("hours", {})),
        heard=_heard(found.get("heard", {})),
        papers=papers,
        pins=_pins(edition, papers),
    )


def _shares(figures: EditionFigures, found: Mapping[str, Any]) -> list[Share]:
    states, facts = figures.states, figures.facts
    accepted = states.get(Delivery.State.ACCEPTED, 0)
    refused = states.get(Delivery.State.REJECTED, 0)
    bounced, complained = facts.get("bounced", 0), facts.get("complained", 0)
    whole = (accepted, "accepted")
    return [
        Share("Accepted", accepted, figures.enrolled, "enrolled"),
        Share("Refused at once", refused, accepted + refused, "sent"),
        Share("Delivered", facts.get("delivered", 0), *whole),
        Share(
            "Hard bounces",
            bounced,
            *whole,
            limit=f"warns at {BOUNCES.warn:.0%}, stops at {BOUNCES.share:.0%}",
            verdict=_verdict(bounced, accepted, BOUNCES),
        ),
        Share("Soft bounces", facts.get("soft_bounced", 0), *whole),
        Share(
            "Spam complaints",
            complained,
            *whole,
            limit=f"warns at {COMPLAINTS.warn:.1%}, stops at {COMPLAINTS.share:.1%}",
            verdict=_verdict(complained, accepted, COMPLAINTS),
        ),
        Share("Unsubscribed by it", facts.get("left", 0), *whole),
        Share("Clicked a paper", found.get("clicked", 0), found.get("agreed", 0), "whose readers agreed"),
    ]


def _verdict(count: int, of: int, limit: Limit) -> str:
    """Return how a count stands to its limits; of few digests a share says little."""
    if not of:
        return ""
    if limit.passed(count, of):
        return "bad"
    if not count or count < limit.warn * of:
        return "good"
    return "warn" if of >= limit.least else "few"


def _hours(found: Mapping[str, Sequence[int]]) -> list[tuple[datetime, int, int]]:
    """Return (hour, accepted, delivered) without gaps, from the first one on."""
    known = {datetime.strptime(hour, "%Y-%m-%dT%H").replace(tzinfo=UTC): both for hour, both in found.items()}
    if not known:
        return []
    first = min(hour for hour, (accepted, _delivered) in known.items() if accepted or hour == min(known))
    last = min(max(known), first + (MOST_HOURS - 1) * _HOUR)
    hours = (first + number * _HOUR for number in range((last - first) // _HOUR + 1))
    return [(hour, *known.get(hour, (0, 0))) for hour in hours]  # type: ignore[misc]


def _heard(found: Mapping[str, int]) -> list[tuple[str, int, str]]:
    total = sum(found.values())
    return [(words, found.get(name, 0), percent(found.get(name, 0), total)) for name, words in _HEARD.items()]


def _papers(edition: Edition) -> Iterator[PaperLine]:
    """Yield what became of the edition's papers, the most sent first.

    The figures are asked for by their keys: joined, PostgreSQL walks those of all editions.
    """
    candidates = Candidate.objects.filter(edition=edition)
    told = {
        key: (" ".join(title.split()), identity, pin)
        for key, title, identity, pin in candidates.values_list(
            "pk", "paper__title", "paper__identity", "pin"
        )
    }
    figures = CandidateFigures.objects.filter(pk__in=list(told)).order_by("-digests", "pk")
    for key, *counts in figures.values_list("pk", "digests", "pinned", "agreed", "clicks", "robots"):
        yield PaperLine(*told[key], *counts)


def _pins(edition: Edition, papers: Sequence[PaperLine]) -> Pins | None:
    """Return what the pins added; None where nothing is pinned or nothing was reckoned."""
    reach = EditionReach.objects.filter(edition=edition, at__isnull=False).first()
    pinned = {line.identity: line for line in papers if line.pin is not None}
    if reach is None or not pinned or not reach.sample:
        return None
    pins = Candidate.objects.filter(edition=edition, pin__isnull=False)
    keys = dict(pins.values_list("paper__identity", "paper_id"))

    def readers(found: Mapping[str, int], identity: str) -> int:
        return about(reach, found.get(str(keys.get(identity)), 0))

    lines = [
        PinLine(line, readers(reach.papers, identity), readers(reach.unpinned, identity))
        for identity, line in sorted(pinned.items(), key=lambda item: item[1].pin or 0)
    ]
    rest = [line for line in papers if line.pin is None]
    return Pins(
        lines=lines,
        sample=reach.sample,
        readers=reach.readers,
        stale=is_stale(reach, edition),
        rate=_rate(list(pinned.values())),
        rest_rate=_rate(rest),
    )


def _rate(lines: Sequence[PaperLine]) -> str:
    return percent(sum(line.clicks for line in lines), sum(line.agreed for line in lines))

"""What is decided about one paper of an edition: its pin, whether it is hidden, the note."""

from dataclasses import dataclass

from digest.curation.deciding import (
    CLOCK,
    HIDEABLE,
    SHAPEABLE,
    STANDING,
    By,
    CurationError,
    Kind,
    deciding,
    record,
    refuse_conflict,
)
from digest.models import Candidate, Decision, Edition, Paper

#: Pins an edition may have; each reader gets the first three they do not exclude.
MOST_PINS = 9
LONGEST_NOTE = 280


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a paper stands: its edition's pins in order (paper ids), and whether it is hidden."""

    pins: tuple[int, ...]
    hidden: bool

    def place(self, paper_id: int) -> int | None:
        """Return the paper's place among the pins, from 1, or None."""
        return self.pins.index(paper_id) + 1 if paper_id in self.pins else None


def candidate(edition: Edition, paper: Paper) -> Candidate:
    """Return the paper's candidacy in a locked edition. Raises CurationError where there is none."""
    found = Candidate.objects.select_for_update().filter(edition=edition, paper=paper).first()
    if found is None:
        raise CurationError("That paper is not in this edition. Add it first.")
    return found


def standing(edition: Edition, row: Candidate) -> Standing:
    """Return where `row` stands in the locked edition."""
    pins = edition.candidates.filter(pin__isnull=False).order_by("pin")
    return Standing(tuple(pins.values_list("paper_id", flat=True)), row.hidden)


def stand(edition: Edition, row: Candidate, now: Standing) -> None:
    """Write `now` for the paper of `row`, and the places of all pins."""
    row.hidden, row.pin = now.hidden, now.place(row.paper_id)
    row.save(update_fields=["hidden", "pin"])
    for other in edition.candidates.filter(pin__isnull=False).exclude(pk=row.pk):
        place = now.place(other.paper_id)
        if other.pin != place:
            other.pin = place
            other.save(update_fields=["pin"])


def pin(
    edition: Edition, paper: Paper, place: int | None = None, *, by: By = CLOCK, seen: int | None = None
) -> Decision | None:
    """Pin a paper at `place` (from 1; the end by default), or move its pin. It shows a hidden paper again.

    Two people may add pins at once; for a place of its own the order must still be the one that was seen.
    """
    with deciding(edition, SHAPEABLE) as locked:
        row = candidate(locked, paper)
        _refuse_conflict(locked, seen, paper)
        if place is not None:
            refuse_conflict(locked, seen, STANDING, when=_changed_pins)
        before = standing(locked, row)
        others = [one for one in before.pins if one != paper.pk]
        if len(others) >= MOST_PINS:
            raise CurationError(f"There are {MOST_PINS} pins already. Take one off first.")
        others.insert(len(others) if place is None else max(place - 1, 0), paper.pk)
        return _decide(locked, row, Kind.PINNED, by, before, Standing(tuple(others), hidden=False))


def unpin(edition: Edition, paper: Paper, *, by: By = CLOCK, seen: int | None = None) -> Decision | None:
    """Take the pin off a paper."""
    with deciding(edition, SHAPEABLE) as locked:
        row = candidate(locked, paper)
        _refuse_conflict(locked, seen, paper)
        before = standing(locked, row)
        after = Standing(_without(before.pins, paper.pk), before.hidden)
        return _decide(locked, row, Kind.UNPINNED, by, before, after)


def hide(edition: Edition, paper: Paper, *, by: By = CLOCK, seen: int | None = None) -> Decision | None:
    """Keep a paper out of every reader's digest; its pin goes too.

    In an edition that is over as well: readers who got none of it may still find its papers in the next one.
    """
    with deciding(edition, HIDEABLE) as locked:
        row = candidate(locked, paper)
        _refuse_conflict(locked, seen, paper)
        before = standing(locked, row)
        after = Standing(_without(before.pins, paper.pk), hidden=True)
        return _decide(locked, row, Kind.HIDDEN, by, before, after)


def show(edition: Edition, paper: Paper, *, by: By = CLOCK, seen: int | None = None) -> Decision | None:
    """Undo `hide`."""
    with deciding(edition, HIDEABLE) as locked:
        row = candidate(locked, paper)
        _refuse_conflict(locked, seen, paper)
        before = standing(locked, row)
        return _decide(locked, row, Kind.SHOWN, by, before, Standing(before.pins, hidden=False))


def annotate(
    edition: Edition, paper: Paper, note: str, *, by: By = CLOCK, seen: int | None = None
) -> Decision | None:
    """Write the curator's one line about a paper; the empty string takes it away."""
    line = " ".join(note.split())
    if len(line) > LONGEST_NOTE:
        raise CurationError(
            f"The note has {len(line):,} characters; {LONGEST_NOTE} is the most. Shorten it, please."
        )
    if "\x00" in line:
        raise CurationError("The note holds a character that cannot be stored (NUL). Type it anew, please.")
    with deciding(edition, SHAPEABLE) as locked:
        row = candidate(locked, paper)
        refuse_conflict(locked, seen, [Kind.NOTED], paper=paper)
        if row.note == line:
            return None
        before, row.note = row.note, line
        row.save(update_fields=["note"])
        return record(locked, Kind.NOTED, by, paper=paper, before={"note": before}, after={"note": line})


def _refuse_conflict(edition: Edition, seen: int | None, paper: Paper) -> None:
    refuse_conflict(edition, seen, STANDING, paper=paper)


def _changed_pins(decision: Decision) -> bool:
    return bool(decision.before.get("pins", []) != decision.after.get("pins", []))


def _without(pins: tuple[int, ...], paper_id: int) -> tuple[int, ...]:
    return tuple(one for one in pins if one != paper_id)


def _decide(
    edition: Edition, row: Candidate, kind: Decision.Kind, by: By, before: Standing, after: Standing
) -> Decision | None:
    """Write `after` and the decision; nothing where it stands so already."""
    if before == after:
        return None
    stand(edition, row, after)
    return record(edition, kind, by, paper=row.paper, before=as_written(before), after=as_written(after))


def as_written(one: Standing) -> dict[str, object]:
    """Return `one` as a decision keeps it."""
    return {"pins": list(one.pins), "hidden": one.hidden}

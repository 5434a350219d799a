"""Taking a decision back: a decision of its own that names it, unless something has changed since."""

from digest.curation.adding import take_out
from digest.curation.deciding import (
    CLOCK,
    HIDEABLE,
    SHAPEABLE,
    WORDABLE,
    By,
    CurationError,
    Kind,
    deciding,
    record,
    told,
)
from digest.curation.papers import MOST_PINS, Standing, as_written, candidate, stand, standing
from digest.models import Candidate, Decision, Edition

_OPPOSITE = {
    Kind.PINNED: Kind.UNPINNED,
    Kind.UNPINNED: Kind.PINNED,
    Kind.HIDDEN: Kind.SHOWN,
    Kind.SHOWN: Kind.HIDDEN,
}
#: In which states each kind can be taken back.
_STATES = {
    Kind.PINNED: SHAPEABLE,
    Kind.UNPINNED: SHAPEABLE,
    Kind.HIDDEN: HIDEABLE,
    Kind.SHOWN: HIDEABLE,
    Kind.NOTED: SHAPEABLE,
    Kind.ADDED: SHAPEABLE,
    Kind.WORD: WORDABLE,
    Kind.SUBJECT: WORDABLE,
}


def undoable(decision: Decision, state: str) -> bool:
    """Say whether `decision` is one that can be taken back while its edition is `state`, and was not yet."""
    known = Kind(decision.kind) in _STATES and state in _STATES[Kind(decision.kind)]
    removal = decision.kind == Kind.ADDED and decision.undoes_id is not None
    return known and not removal and not hasattr(decision, "undone_by")


def newest_of(edition: Edition, by: By) -> Decision | None:
    """Return what `by` decided last and has not taken back; undoings are passed over."""
    own = edition.decisions.filter(by_id=by.user_id, undoes=None, undone_by=None, kind__in=list(_STATES))
    return own.select_related("paper").first()


def undo(decision: Decision, *, by: By = CLOCK) -> Decision:
    """Put back what stood before `decision`. Raises CurationError where something changed since."""
    kind = Kind(decision.kind)
    if kind not in _STATES:
        raise CurationError("That is no change to the papers or the words; it cannot be undone here.")
    with deciding(decision.edition, _STATES[kind]) as locked:
        earlier = Decision.objects.filter(undoes=decision).select_related("paper").first()
        if earlier is not None:
            raise CurationError(f"That was taken back already: {told(earlier)}.")
        if kind == Kind.ADDED and decision.undoes_id is not None:
            raise CurationError("To have the paper again, add it again.")
        if kind in {Kind.WORD, Kind.SUBJECT}:
            return _undo_wording(locked, decision, by)
        return _undo_paper(locked, decision, kind, by)


def _undo_wording(edition: Edition, decision: Decision, by: By) -> Decision:
    word = decision.kind == Kind.WORD
    field, key = ("note", "word") if word else ("subject", "subject")
    if getattr(edition, field) != decision.after[key]:
        raise _changed(decision, [decision.kind])
    setattr(edition, field, decision.before[key])
    edition.save(update_fields=[field])
    return record(
        edition, Kind(decision.kind), by, before=decision.after, after=decision.before, undoes=decision
    )


def _undo_paper(edition: Edition, decision: Decision, kind: Kind, by: By) -> Decision:
    if decision.paper is None:
        raise CurationError("Its paper is not stored any more.")
    row = candidate(edition, decision.paper)
    if kind == Kind.ADDED:
        return take_out(edition, row, decision, by=by)
    if kind == Kind.NOTED:
        if row.note != decision.after["note"]:
            raise _changed(decision, [Kind.NOTED])
        row.note = decision.before["note"]
        row.save(update_fields=["note"])
        return record(
            edition,
            Kind.NOTED,
            by,
            paper=row.paper,
            before=decision.after,
            after=decision.before,
            undoes=decision,
        )
    return _undo_standing(edition, row, decision, by)


def _undo_standing(edition: Edition, row: Candidate, decision: Decision, by: By) -> Decision:
    """Put the paper back where it stood; other pins keep the order they have now."""
    now, was, became = standing(edition, row), _read(decision.before), _read(decision.after)
    key = row.paper_id
    moved = was.place(key) is not None and became.place(key) is not None
    same = now.hidden == became.hidden and (now.place(key) is None) == (became.place(key) is None)
    if not same or (moved and now.pins != became.pins):
        raise _changed(decision, list(_OPPOSITE), pins=moved)
    pins = [one for one in now.pins if one != key]
    place = was.place(key)
    if place is not None:
        if len(pins) >= MOST_PINS:
            raise CurationError(f"There are {MOST_PINS} pins already. Take one off first.")
        pins.insert(place - 1, key)
    after = Standing(tuple(pins), was.hidden)
    stand(edition, row, after)
    kind = Kind.PINNED if moved else _OPPOSITE[Kind(decision.kind)]
    return record(
        edition,
        kind,
        by,
        paper=row.paper,
        before=as_written(now),
        after=as_written(after),
        undoes=decision,
    )


def _read(written: dict[str, object]) -> Standing:
    pins = written["pins"]
    return Standing(tuple(pins) if isinstance(pins, list) else (), bool(written["hidden"]))


def _changed(decision: Decision, kinds: list[str], *, pins: bool = False) -> CurationError:
    """Return why `decision` stays: the newest one of `kinds` about the same."""
    since = Decision.objects.filter(edition=decision.edition_id, pk__gt=decision.pk, kind__in=kinds)
    if not pins:
        since = since.filter(paper=decision.paper_id)
    newest = since.select_related("paper").first()
    who = f" {told(newest)}." if newest else ""
    return CurationError(f"It was changed again since, so it stays as it is.{who}")

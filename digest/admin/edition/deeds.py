"""What is done at the desk of an edition: each a POST, each a decision with its line in the audit log."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_POST

from digest import bringing, curation
from digest.admin.edition.board import Said, answered
from digest.admin.edition.pages import by, number, of_an_edition
from digest.curation import ConflictError, CurationError
from digest.editions import EditionError
from digest.models import Decision, Edition, Paper
from subscribers import audit
from subscribers.models import AuditEvent

#: A typed text longer than this is not sent back whole.
LONGEST_ECHO = 200_000
Deed = Callable[[], Decision | None]


@of_an_edition("digest.shape_edition")
@require_POST
def decide(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Pin, move, unpin, hide, show or annotate one paper, as the button's value says ("place 12 3")."""
    verb, key, place = _read(request.POST.get("deed", ""))
    paper = Paper.objects.filter(pk=key).first()
    if paper is None:
        gone = Said("There is no such paper any more. Load the page again.", bad=True)
        return answered(request, edition, gone)
    deed, done = _deed(request, edition, paper, verb, place)
    if deed is None:
        return answered(request, edition, Said(done, bad=True))
    if verb == "note":
        typed = Said("", note_of=key, note=request.POST.get("note", "")[:LONGEST_ECHO])
        return _done(request, edition, deed, done, typed)
    return _done(request, edition, deed, done)


def _deed(
    request: HttpRequest, edition: Edition, paper: Paper, verb: str, place: int
) -> tuple[Deed | None, str]:
    """Return what the button does, and what is said once it is done."""
    title, note = paper.quoted, request.POST.get("note", "")[:LONGEST_ECHO]
    ways: dict[str, tuple[Callable[..., Decision | None], str]] = {
        "pin": (curation.pin, f"Pinned {title}."),
        "place": (partial(curation.pin, place=max(place, 1)), f"Moved {title} to place {place}."),
        "unpin": (curation.unpin, f"Took the pin off {title}."),
        "hide": (curation.hide, f"Hid {title}: no reader gets it."),
        "show": (curation.show, f"{title} is shown again."),
        "note": (
            partial(curation.annotate, note=note),
            f"Saved the note on {title}." if note.strip() else f"Took the note off {title}.",
        ),
    }
    if verb not in ways:
        return None, "That button is not known here. Load the page again."
    way, done = ways[verb]
    return partial(way, edition, paper, by=by(request), seen=_seen(request)), done


@of_an_edition("digest.shape_edition")
@require_POST
def undo(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Take back the decision that is named, or one's own last one."""
    who, wanted = by(request), number(request.POST.get("decision"))
    if wanted:
        decision = edition.decisions.select_related("edition", "paper").filter(pk=wanted).first()
    else:
        decision = curation.newest_of(edition, who)
    if decision is None:
        return answered(request, edition, Said("There is nothing of yours to undo.", bad=True))
    done = f"Undone: {curation.deed_of(decision)}."
    words = decision.kind in {Decision.Kind.WORD, Decision.Kind.SUBJECT}
    panel = "words" if words else ""
    return _done(request, edition, partial(curation.undo, decision, by=who), done, panel=panel)


@of_an_edition("digest.shape_edition")
@require_POST
def say(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Write the subject line or the word to all readers, whichever is posted."""
    now: dict[str, Any] = {"by": by(request), "seen": _seen(request)}
    if "subject" in request.POST:
        subject = request.POST["subject"][:LONGEST_ECHO]
        deed = partial(curation.name_edition, edition, subject, **now)
        done = "Saved the subject line." if subject.strip() else "Each reader’s papers make the subject."
        return _done(request, edition, deed, done, Said("", subject=subject, panel="words"))
    word = request.POST.get("word", "")[:LONGEST_ECHO]
    deed = partial(curation.annotate_edition, edition, word, **now)
    done = "Saved the word to all readers." if word.strip() else "Took the word to all readers away."
    return _done(request, edition, deed, done, Said("", word=word, panel="words"))


@of_an_edition("digest.shape_edition")
@require_POST
def add(request: HttpRequest, edition: Edition) -> HttpResponseBase:
    """Add the paper whose id or address is given; arXiv is asked now where it is not stored yet."""
    given = request.POST.get("paper", "")[: 4 * bringing.LONGEST_GIVEN]
    if edition.state not in curation.ADDABLE:
        return answered(
            request,
            edition,
            Said(
                f"Papers cannot be added to an edition that is {edition.state}.",
                bad=True,
                paper=given,
                panel="add",
            ),
        )
    try:
        found = bringing.look_up(given)
        with transaction.atomic():
            paper = bringing.keep(found, edition, at=timezone.now())
            decision = curation.add(edition, paper, by=by(request))
            _audit(request, edition, decision)
    except (bringing.BringingError, CurationError, EditionError) as error:
        return answered(request, edition, Said(str(error), bad=True, paper=given, panel="add"))
    done = Said(
        f"Added {paper.quoted}.", undo=decision.pk, show=paper.arxiv_id or paper.title[:60], panel="add"
    )
    return answered(request, edition, done)


def _done(
    request: HttpRequest, edition: Edition, deed: Deed, done: str, typed: Said | None = None, panel: str = ""
) -> HttpResponseBase:
    """Do it, with its line in the log in the same transaction, and answer.

    Where it fails, `typed` holds what goes back into the fields.
    """
    try:
        with transaction.atomic():
            decision = deed()
            if decision is not None:
                _audit(request, edition, decision)
    except ConflictError as error:
        back = replace(typed or Said(""), text=_conflict(error, typed), bad=True)
        return answered(request, edition, back, refused=409)
    except (CurationError, EditionError) as error:
        return answered(request, edition, replace(typed or Said(""), text=str(error), bad=True))
    if decision is None:
        return answered(request, edition, Said("It was so already; nothing changed."))
    undo_it = decision.pk if decision.undoes_id is None else None
    return answered(request, edition, Said(done, undo=undo_it, panel=typed.panel if typed else panel))


def _conflict(error: ConflictError, typed: Said | None) -> str:
    """Return the sentence, with what stands there now and where one's own text went."""
    if typed is None:
        return f"{error} Nothing of yours was changed."
    after = error.theirs.after
    now = str(after.get("note") or after.get("word") or after.get("subject") or "")
    theirs = f" It now says: “{now[:300]}”." if now else " It is empty now."
    return f"{error}{theirs} What you typed is in the field, not saved: save again to replace theirs."


def _audit(request: HttpRequest, edition: Edition, decision: Decision) -> None:
    what = f"{decision.kind} {decision.paper.identity}" if decision.paper else decision.kind
    detail = f"took back: {what}" if decision.undoes_id else what
    audit.record(request, AuditEvent.Kind.DEED, str(edition), detail, at=decision.at)


def _read(deed: str) -> tuple[str, int, int]:
    """Return the verb, the paper's key and the place of a button's value; 0 for what is not there."""
    verb, *numbers = [*deed[:40].split(), "", "", ""][:3]
    key, place = map(number, numbers)
    return verb, key, min(place, curation.MOST_PINS)


def _seen(request: HttpRequest) -> int:
    """Return the revision of the edition that the page was made of; 0, the strictest, where it says none."""
    return number(request.POST.get("revision"))

"""The desk as a page, or the part of it that changed: what may be done, what is shown, what was just said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from digest import curation, editions
from digest.admin.edition import rows, wishes, words
from digest.admin.edition.pages import context
from digest.models import Decision, Edition

TAB = "admin:digest_edition_change"
#: Decisions that the panel shows, the newest first.
MOST_DECISIONS = 40
_WHY = {
    Edition.State.OPEN: "The papers are still coming in. They can be pinned, hidden and noted once they are "
    "frozen; the subject line and the word to readers can be written now.",
    Edition.State.APPROVED: "This edition is approved and goes out at each reader’s hour. Pause it to "
    "change it.",
    Edition.State.SENDING: "This edition is being sent. Pause it to change what has not left yet.",
    Edition.State.SENT: "This edition has been sent. A bad paper can still be hidden from readers who have "
    "yet to see it; nothing else can be changed.",
    Edition.State.CANCELLED: "This edition was cancelled. A bad paper can still be hidden; its papers go to "
    "the next edition.",
    Edition.State.EXPIRED: "This edition was never approved in time. A bad paper can still be hidden; its "
    "papers go to the next edition.",
    Edition.State.EMPTY: "No paper came for this edition, and nothing will be sent. Add one by hand, and it "
    "is an edition again, waiting for approval.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What is answered to a deed.

    `undo` is the decision a button takes back, `show` what to search for to see it, `panel` the panel to make
    anew ("words", "add"); the rest is what was typed and could not be stored.
    """

    text: str
    bad: bool = False
    undo: int | None = None
    show: str = ""
    panel: str = ""
    note_of: int = 0
    note: str = ""
    subject: str | None = None
    word: str | None = None
    paper: str = ""


@dataclass(frozen=True, slots=True)
class May:
    """What whoever looks may do to the edition as it is now."""

    shape: bool
    hide: bool
    word: bool
    add: bool
    why_not: str

    @classmethod
    def of(cls, request: HttpRequest, edition: Edition) -> "May":
        """Return what the edition's state and the user's permissions leave."""
        if not request.user.has_perm("digest.shape_edition"):
            return cls(
                shape=False, hide=False, word=False, add=False,
                why_not="You may look at this edition. Changing it is for curators.",
            )  # fmt: skip
        return cls(
            shape=edition.state in curation.SHAPEABLE,
            hide=edition.state in curation.HIDEABLE,
            word=edition.state in curation.WORDABLE,
            add=edition.state in curation.ADDABLE,
            why_not=_WHY.get(Edition.State(edition.state), ""),
        )


@dataclass(frozen=True, slots=True)
class Told:
    """One decision in the panel; `before` and `after` are the words it changed."""

    key: int
    deed: str
    at: datetime
    undoes: bool
    undone: str
    undoable: bool
    before: str = ""
    after: str = ""


def shown(
    request: HttpRequest, edition: Edition, said: Said | None = None, *, status: int = 200
) -> HttpResponse:
    """Return the desk as a whole page."""
    wish = wishes.Wish.of(request.POST if request.method == "POST" else request.GET)
    content = context(request, edition, TAB, **_content(request, edition, _listed(edition, wish), said))
    return render(request, "admin/edition/desk.html", content, status=status)


def part(request: HttpRequest, edition: Edition) -> HttpResponse:
    """Return the papers that are asked for: for a page that is there already."""
    wish = wishes.Wish.of(request.GET)
    listed, template = _listed(edition, wish), "admin/edition/desk_board.html"
    if request.headers.get("HX-Target") == "pb-more":
        template = "admin/edition/desk_more.html"
        listed = replace(listed, rows=listed.rows[(wish.pages - 1) * rows.PER_PAGE :], before=wish.pages - 1)
    content = _content(request, edition, listed, None)
    answer = render(request, template, {"edition": edition, **content})
    answer["HX-Replace-Url"] = request.path + wish.query
    return answer


def answered(request: HttpRequest, edition: Edition, said: Said, *, refused: int = 422) -> HttpResponseBase:
    """Answer a deed: with the parts that changed, with a way back, or with the page and what was typed.

    A deed that failed is answered with `refused`, but to htmx, which shows what succeeds alone.
    """
    edition = Edition.objects.get(pk=edition.pk)
    wish = wishes.Wish.of(request.POST)
    if request.headers.get("HX-Request"):
        content = {
            "edition": edition,
            "part": True,
            **_content(request, edition, _listed(edition, wish), said),
        }
        return render(request, "admin/edition/desk_answer.html", content)
    if said.bad:
        return shown(request, edition, said, status=refused)
    messages.success(request, said.text)
    return HttpResponseRedirect(reverse(TAB, args=[edition.pk]) + wish.query)


def _listed(edition: Edition, wish: wishes.Wish) -> rows.Listed:
    return rows.arriving(edition) if edition.state == Edition.State.OPEN else rows.listed(edition, wish)


def _content(
    request: HttpRequest, edition: Edition, listed: rows.Listed, said: Said | None
) -> dict[str, object]:
    is_open = edition.state == Edition.State.OPEN
    may, in_view = May.of(request, edition), {row.key for row in listed.rows}
    return {
        "listed": listed,
        "wish": listed.wish,
        "only": wishes.ONLY,
        "may": may,
        "wish_fields": _fields(request, edition, listed.wish),
        "said": said,
        "homeless": bool(said and said.note and not (may.shape and said.note_of in in_view)),
        "told": _told(edition),
        "freezes": editions.freeze_moment(edition.day) if is_open else None,
        "most_pins": curation.MOST_PINS,
        "longest_note": curation.LONGEST_NOTE,
        "desk_url": reverse(TAB, args=[edition.pk]),
        **words.content(edition, said.subject if said else None, said.word if said else None, listed.rows),
    }


def _fields(request: HttpRequest, edition: Edition, wish: wishes.Wish) -> SafeString:
    """Return what every form of the desk says beside its own: rendered once, for there is one a paper."""
    content = {"edition": edition, "wish": wish}
    return render_to_string("admin/edition/desk_wish.html", content, request)


def _told(edition: Edition) -> Sequence[Told]:
    """Return the newest decisions, one query."""
    found = edition.decisions.select_related("paper", "undone_by").defer("paper__abstract", "paper__authors")
    return [_one(decision, edition) for decision in found[:MOST_DECISIONS]]


def _one(decision: Decision, edition: Edition) -> Told:
    back: Decision | None = getattr(decision, "undone_by", None)
    before, after = (
        next((str(value) for key, value in side.items() if key in {"note", "word", "subject"}), "")
        for side in (decision.before, decision.after)
    )
    return Told(
        key=decision.pk,
        deed=curation.deed_of(decision),
        at=decision.at,
        undoes=decision.undoes_id is not None,
        undone=f"taken back by {back.by_name or 'Paperboy'}" if back else "",
        undoable=curation.undoable(decision, edition.state),
        before=before,
        after=after,
    )

"""Whose mail is looked at: a persona by its name in the address, a mix or a reader from the session.

What was asked stays in the session, so that no reader's name and nobody's words stand in an address, a log
or a bookmark. It is written when a form is posted, and only read by pages.
"""

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from digest import proofing
from digest.admin.edition.preview.forms import mix_of
from digest.models import Edition
from digest.personas import BY_SLUG, PERSONAS
from digest.proofing import NoProofError, Proof
from subscribers.models import Subscriber

MIX, READER = "mix", "reader"
#: Where in the session.
MIX_KEY, READER_KEY = "preview_mix", "preview_reader"
MAY_SEE_READERS = "subscribers.view_subscriber"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose mail: `key` as the page's address says it, `name` as the page does, the reader if it is one."""

    key: str
    name: str
    reader: Subscriber | None = None

    @property
    def is_real(self) -> bool:
        """Say whether it is a reader's."""
        return self.reader is not None


def asked(request: HttpRequest) -> Asked:
    """Return whose mail `request` is about; the first persona's where nothing (any more) is asked for."""
    key = request.POST.get("as") or request.GET.get("as", "")
    if key == MIX and MIX_KEY in request.session:
        return Asked(MIX, "your own mix")
    if key == READER and request.user.has_perm(MAY_SEE_READERS):
        reader = Subscriber.objects.filter(public_id=request.session.get(READER_KEY, "")).first()
        if reader is not None:
            return Asked(READER, f"reader {reader.public_id}", reader)
    persona = BY_SLUG.get(key, PERSONAS[0])
    return Asked(persona.slug, persona.name)


def proof(
    request: HttpRequest, edition: Edition, whose: Asked, *, at: datetime, to: str = "", delivery: str = ""
) -> Proof:
    """Return the mail that `whose` gets, to themselves or to `to`. Raises NoProofError."""
    more = {"to": to, "delivery": delivery or proofing.NO_DELIVERY}
    if whose.reader is not None:
        return proofing.for_reader(edition, whose.reader, at=at, **more)
    chosen = whose.key == MIX
    mix = mix_of(request.session[MIX_KEY]) if chosen else proofing.of_persona(BY_SLUG[whose.key])
    return proofing.for_mix(edition, mix, at=at, **more)


def proof_or_reason(
    request: HttpRequest, edition: Edition, whose: Asked, *, at: datetime
) -> tuple[Proof | None, str]:
    """Return the mail, or None and the sentence that says why there is none."""
    try:
        return proof(request, edition, whose, at=at), ""
    except NoProofError as error:
        return None, str(error)

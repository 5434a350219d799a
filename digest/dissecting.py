"""A composed mail taken apart as mail programs show it: its line in an inbox, its parts, headers and size."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import MIMEPart
from email.utils import parseaddr

from django.core.mail import EmailMultiAlternatives
from lxml import html as markup

from digest.rendering.renderer import MOST_HTML

#: Gmail cuts off what lies beyond, the footer with its links among it.
GMAIL_CLIPS = 102_000
#: What the preheader is followed by, so that an inbox shows nothing of the text beside it.
_FILLER = "\u034f\u200c\u00a0\u200b \n"


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes: of the HTML decoded, of its part as it travels, of the whole message."""

    decoded: int
    encoded: int
    whole: int

    @property
    def kilobytes(self) -> tuple[str, str, str]:
        """Return the three in kB."""
        decoded, encoded, whole = (f"{size / 1000:.1f}" for size in (self.decoded, self.encoded, self.whole))
        return decoded, encoded, whole

    @property
    def share(self) -> int:
        """Return the decoded HTML in percent of what Gmail shows."""
        return min(round(100 * self.decoded / GMAIL_CLIPS), 100)

    @property
    def limit(self) -> int:
        """Return the house's own limit in percent of what Gmail shows."""
        return round(100 * MOST_HTML / GMAIL_CLIPS)

    @property
    def is_tight(self) -> bool:
        """Say whether the house's limit is passed, or nearly."""
        return self.decoded > 0.95 * MOST_HTML


@dataclass(frozen=True, slots=True)
class Dissected:
    """A mail's parts; `headers` are (name, decoded value) in their order."""

    subject: str
    sender: str
    preheader: str
    html: str
    text: str
    headers: list[tuple[str, str]]
    size: Size


def dissect(message: EmailMultiAlternatives) -> Dissected:
    """Return the parts of `message`, read back from the bytes that would leave."""
    octets = message.message().as_bytes().replace(b"\n", b"\r\n")
    parsed = message_from_bytes(octets, policy=policy.default)
    page = parsed.get_body(("html",))
    html = _content(page)
    return Dissected(
        subject=str(parsed["Subject"]),
        sender=parseaddr(str(parsed["From"]))[0] or str(parsed["From"]),
        preheader=preheader(html),
        html=html,
        text=_content(parsed.get_body(("plain",))),
        headers=[(name, str(value)) for name, value in parsed.items()],
        size=Size(
            decoded=len(html.encode()),
            encoded=len(page.as_bytes(policy=policy.SMTP)) if page is not None else 0,
            whole=len(octets),
        ),
    )


def preheader(html: str) -> str:
    """Return what an inbox shows beside the subject: the first text of the body, hidden or not."""
    body = markup.document_fromstring(html).find("body")
    for element in body.iter() if body is not None else ():
        text = str(element.text or "").strip(_FILLER)
        if text:
            return " ".join(text.split())
    return ""


def _content(part: MIMEPart | None) -> str:
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""

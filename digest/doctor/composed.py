"""A digest as it would leave now: the rules of bulk mail, and its size."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from django.core.mail import EmailMultiAlternatives

from digest import proofing
from digest.doctor.finding import Findings, good, unseen, wrong
from digest.doctor.looking import Looking
from digest.models import Edition

#: Bytes of HTML above which Gmail hides the rest, and with it the unsubscribe link.
GMAIL_CLIPS = 102_000
ONCE = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "List-Unsubscribe",
    "List-Id",
    "Feedback-ID",
)


def look(looking: Looking) -> Findings:
    """Compose the newest edition's digest for somebody who asks for everything, and read it again."""
    edition = Edition.objects.exclude(candidate_count=0).order_by("-day").first()
    if edition is None:
        yield unseen("a digest: there is no edition with papers yet")
        return
    try:
        proof = proofing.for_mix(edition, proofing.Mix(size=25), at=looking.at)
    except proofing.NoProofError as error:
        yield unseen(f"a digest: {error}")
        return
    yield from judge(proof.message)


def judge(mail: EmailMultiAlternatives) -> Findings:
    """Say what a mailbox would find wrong with `mail`."""
    raw = mail.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # stubs of Django 6
    message = message_from_bytes(raw, policy=policy.SMTP)
    broken = [sentence for sentence, kept in _rules(message, raw).items() if not kept]
    for sentence in broken:
        yield wrong(
            f"A digest breaks a rule of bulk mail: {sentence}.", "Report it with the version you run."
        )
    if not broken:
        yield good("A digest has every header that bulk mail needs, each once, and one-click unsubscribing.")
    size = len(str(mail.alternatives[0][0]).encode())
    if size > GMAIL_CLIPS:
        yield wrong(
            f"A digest has {size / 1000:.0f} kB of HTML: Gmail hides its end.", "Shorten the opening."
        )
    else:
        yield good(f"A digest has {size / 1000:.0f} kB of HTML, below the 102 kB at which Gmail clips.")


def _rules(message: EmailMessage, raw: bytes) -> dict[str, bool]:
    link = str(message["List-Unsubscribe"] or "")
    parts = [part.get_content_type() for part in message.iter_parts()]
    return {
        **{f"{name} must stand there exactly once": len(message.get_all(name, [])) == 1 for name in ONCE},
        "List-Unsubscribe must hold an https address": link.startswith("<https://"),
        "List-Unsubscribe-Post must be List-Unsubscribe=One-Click": str(message["List-Unsubscribe-Post"])
        == "List-Unsubscribe=One-Click",
        "a line is longer than 998 bytes": max(map(len, raw.split(b"\r\n"))) <= 998,
        "text must come before HTML": parts == ["text/plain", "text/html"],
    }

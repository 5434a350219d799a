"""Sending one test mail while somebody waits at the desk: no delivery, no row, an answer within seconds."""

from contextlib import closing
from queue import Empty, SimpleQueue
from threading import Thread

from django.core.mail import EmailMessage, get_connection

from digest import mailbox
from subscribers.transport import Fate, Outcome, Sender

#: The mail server's time for each of its answers, and the whole time that a page waits for them.
ANSWER_SECONDS, SECONDS = 6, 9.0
_TOLD = {
    Fate.ACCEPTED: "Sent to {to}: the mail server took it. It should be there in a minute; look among the "
    "junk, too.",
    Fate.DEFERRED: "Not sent to {to}: the mail server does not take it now. It said: {detail} Please try "
    "again later.",
    Fate.NOT_SENT: "Not sent to {to}: there is no way to the mail server, or it takes nothing from us. It "
    "said: {detail} An operator can look at EMAIL_URL.",
    Fate.REJECTED: "Not sent to {to}: the mail server refused this mail. It said: {detail}",
    Fate.UNKNOWN: "Nobody knows whether it left for {to}: the mail server did not answer to the end. It "
    "said: {detail} Please look into your inbox before you try again.",
}


def send(message: EmailMessage) -> Outcome:
    """Send `message` and return what became of it within SECONDS: later it is unknown."""
    heard: SimpleQueue[Outcome] = SimpleQueue()

    def attempt() -> None:
        with closing(Sender(lambda: get_connection(timeout=ANSWER_SECONDS))) as sender:
            heard.put(sender.send(message))

    Thread(target=attempt, name="test mail", daemon=True).start()
    try:
        return heard.get(timeout=SECONDS)
    except Empty:
        return Outcome(Fate.UNKNOWN, f"no answer within {SECONDS:.0f} seconds")


def told(outcome: Outcome, to: str) -> str:
    """Return the sentence for a curator; `to` is their address, masked."""
    if outcome.fate is Fate.ACCEPTED and mailbox.in_use():
        return f"Kept for {to} in the mailbox of this installation, at /mailbox/: no mail leaves it."
    detail = outcome.detail.rstrip(".") or "nothing"
    return _TOLD[outcome.fate].format(to=to, detail=f"“{detail}”.")

"""The last step before the wire: a group leaves once its count is told outside the database."""

from collections.abc import Sequence

from digest.delivery.sending import Prepared
from digest.guarding import Passage
from subscribers.transport import Fate, Outcome, Senders

#: The detail of a delivery that was about to leave a database that may be a restored backup.
UNVOUCHED = "nothing outside the database vouches for what it sends"


def send_vouched(going: Sequence[Prepared], passage: Passage, senders: Senders) -> list[Outcome]:
    """Send a group whose start is committed; nothing of it where nobody vouches. Raises Interrupted."""
    if going and not passage.vouch():
        return [Outcome(fate=Fate.NOT_SENT, detail=UNVOUCHED) for _item in going]
    return senders.send_all([item.message for item in going])

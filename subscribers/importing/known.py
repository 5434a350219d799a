"""What the house and the file know of the addresses of a batch, asked for all of them at once."""

from collections.abc import Iterable
from functools import lru_cache

from subscribers.addresses import AddressError, address_hash, address_key, normalise
from subscribers.importing.entries import Standing
from subscribers.importing.standings import worst
from subscribers.models import ConsentEvent, Subscriber, Suppression, Topic

#: What settles whether somebody wants our mail; a mere request, or changed choices, do not.
_DECISIVE = (
    ConsentEvent.Kind.CONFIRMED,
    ConsentEvent.Kind.IMPORTED,
    ConsentEvent.Kind.RESUMED,
    ConsentEvent.Kind.WITHDRAWN,
    ConsentEvent.Kind.ERASED,
)
_GONE = {ConsentEvent.Kind.WITHDRAWN, ConsentEvent.Kind.ERASED}

# A batch's addresses are spelt twice: to ask about them, and when their row's turn comes.
spelt = lru_cache(maxsize=4096)(normalise)


class Known:
    """`here`, `suppressed` and `withdrawn` hold the hashes of the last batch asked about.

    Of the file it keeps eight bytes an address: which have come already, and which stand in it as anything
    but subscribed, on whatever row.
    """

    def __init__(self) -> None:
        self.topics = _topics()
        self.here: set[str] = set()
        self.suppressed: set[str] = set()
        self.withdrawn: set[str] = set()
        self._seen: set[int] = set()
        self._lately: list[int] = []
        self._worst: dict[int, Standing] = {}

    def note(self, address: str, standing: Standing) -> None:
        """Remember of a row that its address is not, or no longer, subscribed there."""
        try:
            short = _short(address_hash(spelt(address)))
        except AddressError:
            return
        self._worst[short] = worst(standing, self._worst.get(short, standing))

    def ask(self, addresses: Iterable[str]) -> None:
        """Ask the database about a batch; what is no address is passed over."""
        self._lately.clear()
        keys = {}
        for address in addresses:
            try:
                keys[address_key(spelt(address))] = address_hash(spelt(address))
            except AddressError:
                continue
        there = Subscriber.objects.filter(address_key__in=keys).values_list("address_key", flat=True)
        self.here = {keys[key] for key in there}
        hashes = list(keys.values())
        listed = Suppression.objects.filter(address_hash__in=hashes)
        self.suppressed = set(listed.values_list("address_hash", flat=True))
        events = ConsentEvent.objects.filter(address_hash__in=hashes, kind__in=_DECISIVE).order_by("pk")
        last = dict(events.values_list("address_hash", "kind"))
        self.withdrawn = {hashed for hashed, kind in last.items() if kind in _GONE}

    def unsee(self) -> None:
        """Forget having seen what was seen since the last question: its batch is judged again."""
        self._seen.difference_update(self._lately)

    def first_sight(self, hashed: str) -> bool:
        """Say whether the file names this address for the first time."""
        short = _short(hashed)
        if short in self._seen:
            return False
        self._seen.add(short)
        self._lately.append(short)
        return True

    def worst(self, hashed: str, standing: Standing) -> Standing:
        """Return how the address stands by all rows of the file."""
        return self._worst.get(_short(hashed), standing)


def _short(hashed: str) -> int:
    """Return 64 bits of an address's hash: a million of them collide once in 37 million files."""
    return int(hashed.partition(":")[2][:16], 16)


def _topics() -> dict[str, tuple[int, str]]:
    """Return {slug or name, casefolded: (id, slug)} of the topics on offer."""
    offered = Topic.objects.filter(active=True).values_list("pk", "slug", "name")
    found: dict[str, tuple[int, str]] = {}
    for pk, slug, name in offered:
        found[name.casefold()] = (pk, slug)
    for pk, slug, _name in offered:
        found[slug] = (pk, slug)
    return found

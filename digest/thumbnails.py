"""Pictures of papers: fetched once from hosts we know, checked, drawn anew, kept in our own storage.

Nothing of the file that came is kept: what readers get was encoded here.
"""

import hashlib
import io
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Q
from PIL import Image, UnidentifiedImageError

from digest.models import Paper
from digest.sources.base import SourceError
from digest.sources.fetching import LOOPBACK, Answer, Fetcher, Limits

log = structlog.get_logger(__name__)

WIDTH, MOST_HEIGHT = 320, 640
QUALITY = 80
MOST_PIXELS = 20_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
#: A picture is worth two tries and no long wait; tomorrow is another day.
LIMITS = Limits(whole=30, most_bytes=8_000_000, tries=2, patience=10, redirects=0)
TRY_AGAIN = timedelta(days=1)
#: So many failures in a row mean that the host is away, not that the pictures are bad.
VAIN_TRIES = 5


class ThumbnailError(ValueError):
    """A picture we do not take; its text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as readers get it: a JPEG of at most 320 x 640 pixels."""

    jpeg: bytes
    width: int
    height: int


def fetch_missing(
    papers: Iterable[Paper] | None = None,
    *,
    at: datetime,
    limit: int = 100,
    seconds: float = math.inf,
    progress: Callable[[Paper], None] = lambda _paper: None,
) -> tuple[int, int]:
    """Fetch the thumbnails that `papers` (the newest stored, if None) lack; return how many came and failed.

    A paper is tried at most once a day, by one process; no more is begun after `seconds`, or after
    VAIN_TRIES in a row that failed (the host is away). Nothing here raises: an edition goes out without.
    """
    stop_at, in_vain = time.monotonic() + seconds, 0
    waiting = Q(thumbnail_tried_at=None) | Q(thumbnail_tried_at__lte=at - TRY_AGAIN)
    lacking = Paper.objects.filter(waiting, thumbnail="", withdrawn_at=None).exclude(thumbnail_url="")
    if papers is not None:
        lacking = lacking.filter(pk__in=[paper.pk for paper in papers])
    came = failed = 0
    fetchers: dict[str, Fetcher] = {}
    try:
        for paper in lacking.order_by("-stored_at", "-pk")[:limit]:
            if time.monotonic() >= stop_at or in_vain >= VAIN_TRIES:
                break
            # Remembered before the asking, so that a crash or another process does not ask again.
            mine = Paper.objects.filter(waiting, pk=paper.pk).update(thumbnail_tried_at=at)
            if mine:
                good = _take(paper, fetchers)
                came, failed = came + good, failed + (not good)
                in_vain = 0 if good else in_vain + 1
                progress(paper)
    finally:
        for fetcher in fetchers.values():
            fetcher.close()
    return came, failed


def _take(paper: Paper, fetchers: dict[str, Fetcher]) -> bool:
    """Fetch and keep the thumbnail of one paper; say whether it is there."""
    try:
        picture = redraw(_fetch(paper.thumbnail_url, fetchers).body)
        name = _keep(picture)
    except (SourceError, ThumbnailError, OSError) as error:
        log.info("thumbnail_failed", paper=paper.identity, why=str(error)[:200])
        return False
    Paper.objects.filter(pk=paper.pk).update(
        thumbnail=name, thumbnail_width=picture.width, thumbnail_height=picture.height
    )
    return True


def _fetch(url: str, fetchers: dict[str, Fetcher]) -> Answer:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host not in settings.THUMBNAIL_HOSTS:
        raise ThumbnailError(f"{host or 'nowhere'} is not among THUMBNAIL_HOSTS")
    if parts.scheme != "https" and not (settings.DEBUG and host in LOOPBACK and parts.scheme == "http"):
        raise ThumbnailError("the address is not https")
    base = f"{parts.scheme}://{parts.netloc}"
    if base not in fetchers:
        fetchers[base] = Fetcher(base, limits=LIMITS)
    answer = fetchers[base].get(url)
    if answer.status != 200:
        raise ThumbnailError(f"{host} answered {answer.status}")
    return answer


def redraw(body: bytes) -> Picture:
    """Return the picture in `body` (JPEG, PNG, WebP, or GIF's first frame) drawn anew on white, 320 px wide.

    Raises ThumbnailError for anything else, for more than 20 million pixels, and for a picture that ends
    early.
    """
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as image:
            _refuse_bomb(image)
            image.draft("RGB", (2 * WIDTH, 2 * WIDTH))  # JPEG alone: decodes a large one small
            image.load()
            return _draw(image)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise ThumbnailError(f"this is no picture we can read: {type(error).__name__}") from error


def _refuse_bomb(image: Image.Image) -> None:
    """Look at the size the file declares, before a pixel is unpacked."""
    if image.width * image.height > MOST_PIXELS:
        raise ThumbnailError(f"{image.width} x {image.height} pixels are too many")


def _draw(image: Image.Image) -> Picture:
    width = min(WIDTH, image.width)
    height = max(1, round(image.height * width / image.width))
    small = image.convert("RGBA").resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
    sheet = Image.new("RGBA", small.size, "white")
    sheet.alpha_composite(small)
    drawn = sheet.convert("RGB").crop((0, 0, width, min(height, MOST_HEIGHT)))  # a poster's head says most
    file = io.BytesIO()
    drawn.save(file, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return Picture(file.getvalue(), drawn.width, drawn.height)


def _keep(picture: Picture) -> str:
    """Store the picture under its own hash; return the name."""
    name = f"thumbnails/{hashlib.sha256(picture.jpeg).hexdigest()[:32]}.jpg"
    return name if default_storage.exists(name) else default_storage.save(name, ContentFile(picture.jpeg))

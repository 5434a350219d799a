"""Sample papers for the demo: written by us, invented throughout, on no server but this one."""

import hashlib
import tomllib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from digest.models import Paper
from digest.samples import figures
from digest.sources.base import PaperRecord
from digest.storing import current_topics, store_all
from digest.thumbnails import redraw

SOURCE = "sample"
#: The number of the one that the demo's curator pins.
FAVOURITE = 26
_FOLDER = Path(__file__).parent / "papers"


def load(day: date, at: datetime) -> int:
    """Store the sample papers as if they had appeared on `day` and the two days before; return how many.

    Their topics come from matching, as every paper's do. `at` is the moment they count as stored.
    """
    entries = list(_entries())
    store_all([_record(entry, day) for entry in entries], at=at, topics=current_topics())
    for entry in entries:
        if "figure" in entry:
            _illustrate(_identity(entry), entry["figure"], entry["number"])
    return len(entries)


def _entries() -> Iterator[dict[str, Any]]:
    for file in sorted(_FOLDER.glob("*.toml")):
        yield from tomllib.loads(file.read_text(encoding="utf-8"))["paper"]


def _identity(entry: dict[str, Any]) -> str:
    return f"{SOURCE}:{entry['number']:02d}"


def _record(entry: dict[str, Any], day: date) -> PaperRecord:
    appeared = day - timedelta(days=entry["days_ago"])
    written = datetime.combine(appeared, time(entry["number"] % 24), ZoneInfo("UTC")) - timedelta(days=2)
    return PaperRecord(
        source=SOURCE,
        source_id=f"{entry['number']:02d}",
        arxiv_id=None,
        version=1,
        title=entry["title"],
        abstract=" ".join(entry["abstract"].split()),
        authors=tuple(entry["authors"]),
        categories=tuple(entry["categories"]),
        published_at=written,
        updated_at=written,
        day=appeared,
        upvotes=entry["votes"],
        comments=entry["comments"],
        stars=entry.get("stars"),
        summary=entry.get("summary", ""),
    )


def _illustrate(identity: str, kind: str, number: int) -> None:
    """Draw the paper's figure and keep it where thumbnails are kept."""
    picture = redraw(figures.draw(kind, number))
    name = f"thumbnails/{hashlib.sha256(picture.jpeg).hexdigest()[:32]}.jpg"
    if not default_storage.exists(name):
        name = default_storage.save(name, ContentFile(picture.jpeg))
    Paper.objects.filter(identity=identity).update(
        thumbnail=name, thumbnail_width=picture.width, thumbnail_height=picture.height
    )

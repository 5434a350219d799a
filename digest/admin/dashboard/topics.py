"""Topics by who follows them and by what they brought of late, from the kept figures."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest

from digest.admin import ways
from digest.models import Paper, TopicFigures
from subscribers.models import Topic

SHOWN = 6


def topics(request: HttpRequest, _at: datetime) -> dict[str, Any]:
    """Return the topics most followed, and those that call for a curator's eye."""
    found = list(
        TopicFigures.objects.select_related("topic")
        .filter(topic__active=True)
        .order_by("-readers", "topic__name")
    )
    widest = max((figures.readers for figures in found), default=0) or 1
    most = max((figures.papers for figures in found), default=0) or 1
    rows = [
        {
            "topic": figures.topic,
            "url": ways.row(request, figures.topic),
            "readers": figures.readers,
            "papers": figures.papers,
            "papers_url": ways.rows(request, Paper, topics__id__exact=figures.topic_id),
            "readers_share": 100 * figures.readers // widest,
            "papers_share": 100 * figures.papers // most,
        }
        for figures in found
    ]
    dry = [row for row in rows if row["readers"] and not row["papers"]]
    return {
        "rows": rows[:SHOWN],
        "rest": max(len(rows) - SHOWN, 0),
        "dry": dry,
        "url": ways.rows(request, Topic),
        "at": min((figures.at for figures in found), default=None),
    }

"""A table of the desk as a CSV file. Who took it is written down, so it is asked for by POST."""

from collections.abc import Iterable, Iterator, Sequence

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify

from subscribers import audit
from subscribers.csv_lines import csv_lines
from subscribers.models import AuditEvent

#: Without it Excel takes UTF-8 for the encoding of the machine, and "Fišer" for something else.
_BYTE_ORDER_MARK = "\ufeff"


def csv_answer(
    request: HttpRequest,
    *,
    name: str,
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    detail: str = "",
) -> StreamingHttpResponse:
    """Return `rows` as a file named after `name` and the day, row by row as they come.

    The audit log says who took it, and `detail` of what (without addresses). Raises PermissionDenied for
    anything but a POST: looking at a page writes nothing.
    """
    if request.method != "POST":
        raise PermissionDenied("A file is asked for by its button.")
    now = timezone.now()
    audit.record(request, AuditEvent.Kind.EXPORTED, name, detail or ", ".join(headers), at=now)
    answer = StreamingHttpResponse(_marked(csv_lines(headers, rows)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slugify(name) or "table"}-{now:%Y-%m-%d}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _marked(lines: Iterator[str]) -> Iterator[str]:
    yield _BYTE_ORDER_MARK
    yield from lines

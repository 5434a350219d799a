"""Papers' pictures from our own storage: no reader's program ever asks a third party for one."""

import re

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


@require_safe
def thumbnail(_request: HttpRequest, name: str) -> FileResponse:
    """Serve thumbnails/`name`.jpg; its name follows from its content, so it may be kept for ever."""
    path = f"thumbnails/{name}.jpg"
    if not _NAME.fullmatch(name) or not default_storage.exists(path):
        raise Http404("There is no such picture.")
    return FileResponse(
        default_storage.open(path),
        content_type="image/jpeg",
        headers={"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"},
    )

"""Which request or task a line of the log belongs to: an id of its own for each, and nothing of who asked."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from celery.signals import task_postrun, task_prerun
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog.contextvars import bind_contextvars, clear_contextvars


class RequestIdMiddleware:
    """Binds an id of our own making: one from a header would be whatever a stranger writes into the log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Bind the id until the next request: Django logs what it answered after all middleware is done."""
        clear_contextvars()
        bind_contextvars(request=uuid4().hex[:16])
        return self.get_response(request)


@task_prerun.connect(dispatch_uid="digest.tracing.bind")
def bind(task_id: str, task: Any, **_: Any) -> None:  # noqa: ANN401 - Celery's signature
    """Bind a task's name and id while it runs."""
    clear_contextvars()
    bind_contextvars(task=str(task.name), task_id=task_id)


@task_postrun.connect(dispatch_uid="digest.tracing.unbind")
def unbind(**_: Any) -> None:  # noqa: ANN401 - as above
    """Forget them."""
    clear_contextvars()

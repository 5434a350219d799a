"""Bounces for good, and those that wait because their whole mail domain bounces."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from digest import verdicts
from digest.models import BounceVerdict
from subscribers.addresses import domain_of
from subscribers.admin import asking_first
from subscribers.admin.read_only import ReadOnlyAdmin
from subscribers.models import Subscriber

_APPLY = (
    "Suppress everybody who bounced there?",
    "Choose this if the mailboxes are really gone. They get no mail any more.",
)
_DROP = (
    "Drop the bounces of these domains?",
    "Choose this if their server had fallen over. They go on getting digests; the first ones are reinstated.",
)


@admin.register(BounceVerdict)
class BounceVerdictAdmin(ReadOnlyAdmin):
    """Whatever is chosen, all that waits of its mail domain is settled."""

    list_display = ["at", "state", "domain", "source", "settled_at", "why"]
    list_filter = ["state"]
    sortable_by = ()
    ordering = ["-pk"]
    exclude = ["address_hash", "domain_key"]
    actions = ["apply", "drop"]

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Say who may decide."""
        return bool(request.user.has_perm("digest.settle_verdicts"))

    @admin.display(description="Mail domain")
    def domain(self, verdict: BounceVerdict) -> str:
        """Return the domain, known as long as its reader is."""
        reader = Subscriber.objects.filter(address_hash=verdict.address_hash).only("address").first()
        return domain_of(reader.address) if reader else "of a reader who is gone"

    @admin.action(description="They are gone: suppress all of these domains", permissions=["settle"])
    def apply(self, request: HttpRequest, chosen: QuerySet[BounceVerdict]) -> TemplateResponse | None:
        """Suppress all whose verdicts wait, once confirmed."""

        def deed(keys: set[str]) -> str:
            many = verdicts.apply_waiting(keys, at=timezone.now(), why="by an operator")
            return f"{many} suppressed."

        return self._settle(request, chosen, "apply", _APPLY, deed)

    @admin.action(description="Their server\u2019s fault: drop all of these domains", permissions=["settle"])
    def drop(self, request: HttpRequest, chosen: QuerySet[BounceVerdict]) -> TemplateResponse | None:
        """Drop all that wait, once confirmed."""

        def deed(keys: set[str]) -> str:
            dropped, back = verdicts.drop_waiting(keys, at=timezone.now(), why="by an operator")
            return f"{dropped} dropped, {back} reinstated."

        return self._settle(request, chosen, "drop", _DROP, deed)

    def _settle(
        self,
        request: HttpRequest,
        chosen: QuerySet[BounceVerdict],
        action: str,
        words: tuple[str, str],
        deed: Callable[[set[str]], str],
    ) -> TemplateResponse | None:
        waiting = list(chosen.filter(state=BounceVerdict.State.WAITING)[: asking_first.MOST_AT_ONCE])
        if not waiting:
            self.message_user(request, "None of these waits. Nothing was done.", messages.ERROR)
            return None
        if not asking_first.is_answered(request):
            title, sentence = words
            rows = [(one.pk, f"{self.domain(one)}, {one.at:%Y-%m-%d %H:%M}") for one in waiting]
            return asking_first.page(self, request, action=action, title=title, sentence=sentence, rows=rows)
        told = deed({one.domain_key for one in waiting})
        self.log_deed(request, waiting[0], f"{action}: {told}")
        self.message_user(request, told, messages.SUCCESS)
        return None

"""Locked logins: who typed wrong passwords, from where, until when it is locked, and the way to lift that."""

from axes.models import AccessAttempt
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from digest.access.guards import COOL_OFF, FAILURES
from digest.admin.owners_only import OwnersOnlyAdmin
from subscribers import audit
from subscribers.admin import asking_first
from subscribers.models import AuditEvent


@admin.register(AccessAttempt)
class LockAdmin(OwnersOnlyAdmin):
    """Failures are axes' rows; they go by themselves once they are old."""

    list_display = ["name", "ip_address", "failures_since_start", "attempt_time", "until"]
    list_display_links = None
    ordering = ["-attempt_time"]
    actions = ["lift"]

    def has_add_permission(self, _request: HttpRequest) -> bool:
        """Rows come by wrong passwords."""
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Nothing here is edited."""
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        """Rows go by `lift`, which asks first."""
        return False

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Say who may lift a lock: whoever may see it."""
        return self.has_view_permission(request)

    @admin.display(description="User name", ordering="username")
    def name(self, attempt: AccessAttempt) -> str:
        """Return the name, which is a user's or was not kept."""
        return _name(attempt)

    @admin.display(description="Locked until (UTC)")
    def until(self, attempt: AccessAttempt) -> str:
        """Return when the lock ends, or nothing where there is none."""
        end = attempt.attempt_time + COOL_OFF
        locked = attempt.failures_since_start >= FAILURES and end > timezone.now()
        return f"{end:%H:%M}" if locked else "-"

    @admin.action(description="Lift the lock", permissions=["lift"])
    def lift(self, request: HttpRequest, chosen: QuerySet[AccessAttempt]) -> TemplateResponse | None:
        """Forget the chosen failures, once confirmed."""
        rows = list(chosen.order_by("pk")[: asking_first.MOST_AT_ONCE])
        if not asking_first.is_answered(request):
            return asking_first.page(
                self,
                request,
                action="lift",
                title="Lift these locks?",
                sentence="The wrong passwords typed so far are forgotten, and the next five count anew.",
                rows=[(row.pk, f"{_name(row)} from {row.ip_address or 'this machine'}") for row in rows],
            )
        for row in rows:
            row.delete()
            audit.record(
                request, AuditEvent.Kind.DEED, f"login of {_name(row)}", "lock lifted", at=timezone.now()
            )
        self.message_user(request, f"{len(rows)} lifted.", messages.SUCCESS)
        return None


def _name(attempt: AccessAttempt) -> str:
    name = str(attempt.username or "")
    return "no user of this name" if name.startswith("nobody ") else name

"""Readers out, as CSV: for those who may see readers, and written down."""

from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from subscribers import audit
from subscribers.importing.exporting import RESOURCES, reader_lines, readers
from subscribers.models import AuditEvent, ImportJob, Subscriber


class ExportForm(forms.Form):
    """Whom, and for whom."""

    status = forms.ChoiceField(
        label="Readers",
        choices=[*((status.value, status.value) for status in Subscriber.Status), ("all", "all")],
        initial=Subscriber.Status.ACTIVE,
        widget=UnfoldAdminSelectWidget(),
    )
    format = forms.ChoiceField(
        choices=[(name, ImportJob.Format(name).label) for name in RESOURCES], widget=UnfoldAdminSelectWidget()
    )


def export_readers(request: HttpRequest) -> HttpResponseBase:
    """Show the form; POST answers with the file, one reader after the other, and is written to the log."""
    if not request.user.has_perms(["subscribers.view_subscriber", "subscribers.export_subscriber"]):
        raise PermissionDenied
    form = ExportForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {**admin.site.each_context(request), "form": form, "title": "Export readers"}
        return TemplateResponse(request, "admin/export_readers.html", context)
    status, kind = form.cleaned_data["status"], form.cleaned_data["format"]
    chosen = readers(status)
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=ContentType.objects.get_for_model(Subscriber),
        object_repr=f"{chosen.count()} readers ({status})",
        action_flag=CHANGE,
        change_message=f"Exported as {kind} CSV.",
    )
    audit.record(
        request, AuditEvent.Kind.EXPORTED, f"readers ({status})", f"as {kind} CSV", at=timezone.now()
    )
    response = StreamingHttpResponse(reader_lines(chosen, kind), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="readers-{status}-{kind}.csv"'
    response["Cache-Control"] = "no-store"
    return response

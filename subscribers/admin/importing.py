"""Readers in and out: upload a file, look at what it would do, confirm, watch; and the way out as CSV."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from subscribers.admin.base import DeskAdmin
from subscribers.admin.csv_table import csv_answer
from subscribers.admin.exporting import export_readers
from subscribers.admin.progress import job_page
from subscribers.importing import jobs
from subscribers.models import ImportJob

#: How often the page of a job under way looks again.
REFRESH_SECONDS = "3"
#: Columns of the list of rows to look into.
_PROBLEM = ("line", "outcome", "reason")

if TYPE_CHECKING:
    _JobModelForm = forms.ModelForm[ImportJob]
else:  # Django's ModelForm takes no parameter at run time
    _JobModelForm = forms.ModelForm


class UploadForm(_JobModelForm):
    """A file and the proof of consent that comes with it."""

    file = forms.FileField(
        label="CSV file",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        help_text="As Mailchimp, Buttondown or listmonk exports it. Or a plain one with a column email, and "
        "topics, words (one a line), time_zone, frequency, subscribed_at, status if you like. Names are left "
        "out.",
    )
    format = forms.ChoiceField(
        required=False,
        choices=[("", "Tell by the first line"), *ImportJob.Format.choices],
        widget=UnfoldAdminSelectWidget(),
    )
    consent_source = forms.CharField(
        label="Where and when did these readers agree?",
        max_length=jobs.LONGEST_STATEMENT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="A sentence, kept with each reader as the proof: “Signed up on example.org between 2022 "
        "and 2025, confirmed by mail.”",
    )

    class Meta:
        model = ImportJob
        fields = ["format", "consent_source"]

    def clean_file(self) -> "UploadedFile[Any]":
        """Refuse what is too large."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if (file.size or 0) > jobs.LARGEST:
            raise forms.ValidationError(f"The file is larger than {jobs.LARGEST >> 20} MB. Split it, please.")
        return file

    def clean_consent_source(self) -> str:
        """Refuse what proves nothing."""
        try:
            return jobs.statement_of(self.cleaned_data["consent_source"])
        except jobs.ImportJobError as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(ImportJob)
class ImportJobAdmin(DeskAdmin):
    """The imports and their pages. The worker does the work; here people upload, confirm and stop."""

    form = UploadForm
    list_display = ["name", "state", "format", "rows", "newcomers", "created_at"]
    list_before_template = "admin/import_jobs_before.html"

    def get_fields(self, _request: HttpRequest, _obj: ImportJob | None = None) -> list[str]:
        """Return the upload form's fields, the file first."""
        return ["file", "format", "consent_source"]

    def has_delete_permission(self, _request: HttpRequest, _obj: ImportJob | None = None) -> bool:
        """The job holds the proof of consent."""
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add the list of problems and the export."""
        own = [
            path("export-readers/", self.admin_site.admin_view(export_readers), name="subscribers_export"),
            path("<int:pk>/problems.csv", self.admin_site.admin_view(self.problems), name="import_problems"),
        ]
        return [*own, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: ImportJob, form: UploadForm, _change: bool) -> None:
        """Keep the file, and let the worker look through it."""
        file = form.cleaned_data["file"]
        job = jobs.open_job(
            file.chunks(),
            name=file.name,
            consent_source=form.cleaned_data["consent_source"],
            state=ImportJob.State.CHECKING,
            at=timezone.now(),
            format=form.cleaned_data["format"],
            by=request.user,
        )
        obj.pk = job.pk
        obj.refresh_from_db()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *about: object, **more: object
    ) -> HttpResponse:
        """Show the upload form with one button: the next step is the import's page."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        response: HttpResponse = super().render_change_form(request, context, *about, **more)
        return response

    def response_add(
        self, _request: HttpRequest, obj: ImportJob, _continue: str | None = None
    ) -> HttpResponse:
        """Lead to the import's page."""
        return HttpResponseRedirect(reverse("admin:subscribers_importjob_change", args=[obj.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, *_form: object, **_extra: object
    ) -> HttpResponseBase:
        """Show how the import stands, afresh every few seconds while it runs; POST confirms or stops it."""
        job = self.get_object(request, object_id)
        if job is None or not self.has_view_permission(request, job):
            raise PermissionDenied
        if request.method == "POST":
            self._act(request, job)
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            **job_page(job, sees_addresses=request.user.has_perm("subscribers.view_subscriber")),
            "opts": self.opts,
            "title": job.name,
            "may_act": self.has_change_permission(request, job),
        }
        response = TemplateResponse(request, "admin/import_job.html", context)
        if job.state in ImportJob.UNDER_WAY:
            response["Refresh"] = REFRESH_SECONDS
        return response

    def problems(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Answer a POST with every row to look into, with its line and reason, as CSV; no addresses."""
        job = self.get_object(request, str(pk))
        if job is None or not self.has_view_permission(request, job):
            raise PermissionDenied
        rows = job.problems.values_list(*_PROBLEM).iterator()
        return csv_answer(request, name=f"import {job.pk} problems", headers=_PROBLEM, rows=rows)

    @admin.display(description="Rows")
    def rows(self, job: ImportJob) -> str:
        """Return how many rows are worked off."""
        return f"{job.done:,} of {job.total:,}"

    @admin.display(description="New readers")
    def newcomers(self, job: ImportJob) -> int:
        """Return how many have come in, or would."""
        return int(job.counts.get("new", 0))

    def _act(self, request: HttpRequest, job: ImportJob) -> None:
        if not self.has_change_permission(request, job):
            raise PermissionDenied
        deeds: dict[str, Callable[[], Any]] = {
            "confirm": lambda: jobs.confirm(job.pk),
            "cancel": lambda: jobs.cancel(job.pk, at=timezone.now()),
        }
        name = request.POST.get("deed", "")
        try:
            if name in deeds:
                deeds[name]()
                self.log_deed(request, job, f"{name}ed" if name == "confirm" else "cancelled")
        except jobs.ImportJobError as error:
            self.message_user(request, str(error), messages.ERROR)

"""The wording a reader agrees to at sign-up. A new wording is a new row in a new migration, never an edit."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VERSION = "2026-11-1"
WORDING = (
    "I would like to receive a digest of research papers by email, chosen by the topics and words I give. "
    "My address and my choices are used for that and for nothing else, and are passed on only to the service "
    "that carries the mail. There is no tracking of what I open or click. "
    "I can change my choices, pause, or unsubscribe with one click in every mail."
)


def write_the_wording(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("subscribers", "ConsentText").objects.get_or_create(
        version=VERSION, defaults={"wording": WORDING}
    )


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0001_initial")]
    # Backwards nothing happens: readers may have agreed to this wording.
    operations = [migrations.RunPython(write_the_wording, migrations.RunPython.noop)]

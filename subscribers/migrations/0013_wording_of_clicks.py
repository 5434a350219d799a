"""The wording under which clicks are counted. A new wording is a new row in a new migration, never an edit."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

VERSION = "clicks-2026-11-1"
WORDING = (
    "Count which papers I open from my digests, so that the curators learn which ones are read. For that, the links "
    "to papers in my digests lead past a counter on this site. It keeps the paper, the digest and the time, for "
    "90 days, and not my browser or network address. I can turn this off here at any time, and then what was "
    "counted of me is deleted. My digest is the same with it and without."
)


def write_the_wording(apps: Apps, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("subscribers", "ConsentText").objects.get_or_create(
        version=VERSION, defaults={"wording": WORDING, "purpose": "clicks"}
    )


class Migration(migrations.Migration):
    dependencies = [("subscribers", "0012_clicks_by_consent")]
    operations = [
        migrations.AddField(
            model_name="consenttext",
            name="purpose",
            field=models.CharField(
                choices=[("digests", "Digests"), ("clicks", "Clicks")], default="digests", max_length=8
            ),
        ),
        # Backwards nothing happens: readers may have agreed to this wording.
        migrations.RunPython(write_the_wording, migrations.RunPython.noop),
    ]

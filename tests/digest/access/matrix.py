"""Who may open what on the desk: a line for each address of ours, and one for each kind of row Django lists.

Letters: N a member of staff in no group, C curator, O operator, W owner. Strangers, and readers who have an
account but are no staff, are led to the login everywhere.
"""

from typing import NamedTuple

ALL = "NCOW"


class Page(NamedTuple):
    """Who may look, who may act (by POST), and whose key the address takes: (name of the argument, model)."""

    get: str
    post: str = ""
    of: tuple[str, str] | None = None


class Rows(NamedTuple):
    """Who may see rows of a kind, add, change and delete them."""

    see: str
    add: str = ""
    change: str = ""
    delete: str = ""


EDITION = ("pk", "edition")

#: Addresses of our own, by name. Pages that look alike for GET and POST say who may act, too.
PAGES = {
    "index": Page(ALL),
    "search": Page(ALL),
    "jsi18n": Page(ALL),
    "autocomplete": Page(""),  # no field of ours asks it, so it knows none
    "view_on_site": Page(""),  # no row of ours has a public page that Django knows of
    "password_change": Page(ALL, ALL),
    "password_change_done": Page(ALL),
    "app_list": Page("COW"),
    "two_factor": Page(ALL),
    "two_factor_set_up": Page(ALL, ALL),
    "two_factor_code": Page(ALL, ALL),
    "two_factor_backup_codes": Page(ALL, ALL),
    "two_factor_off": Page("NC", "NC"),
    "subscribers_export": Page("OW", "OW"),
    "import_problems": Page("", "OW", of=("pk", "importjob")),
    "subscribers_subscriber_find": Page("OW", "OW"),
    "subscribers_spike": Page(ALL),
    "auth_user_password_change": Page("W", "W", of=("id", "user")),
    "new_topic_matches": Page("CW", "CW"),
    "topic_matches": Page("CW", "CW", of=("pk", "topic")),
    "edition_decide": Page("", "CW", of=EDITION),
    "edition_undo": Page("", "CW", of=EDITION),
    "edition_add": Page("", "CW", of=EDITION),
    "edition_words": Page("", "CW", of=EDITION),
    "edition_looks": Page("COW", of=EDITION),
    "edition_preview": Page("COW", of=EDITION),
    "edition_preview_ask": Page("", "COW", of=EDITION),
    "edition_preview_mail": Page("COW", of=EDITION),
    "edition_preview_reach": Page("COW", of=EDITION),
    "edition_preview_test": Page("", "CW", of=EDITION),
    "edition_preview_my_address": Page("", "CW", of=EDITION),
    "edition_sending": Page("COW", of=EDITION),
    "edition_sending_figures": Page("COW", of=EDITION),
    "edition_sending_approve": Page("CW", "CW", of=EDITION),
    "edition_sending_pause": Page("COW", "COW", of=EDITION),
    "edition_sending_resume": Page("COW", "COW", of=EDITION),
    "edition_sending_cancel": Page("COW", "COW", of=EDITION),
    "edition_sending_resend": Page("OW", "OW", of=EDITION),
    "edition_report": Page("COW", of=EDITION),
    "edition_report_csv": Page("", "COW", of=EDITION),
}

#: Django's usual pages (list, add, change, delete, history, and the list as a file), by the model.
ROWS = {
    "digest_edition": Rows("COW"),
    "digest_candidate": Rows("COW"),
    "digest_decision": Rows("COW"),
    "digest_paper": Rows("COW"),
    "digest_ingestrun": Rows("COW"),
    "digest_delivery": Rows("COW"),
    "digest_providerevent": Rows("OW"),
    "digest_bounceverdict": Rows("OW"),
    "digest_dailyfigures": Rows("COW"),
    "digest_editionfigures": Rows("COW"),
    "subscribers_topic": Rows("COW", add="CW", change="CW"),
    "subscribers_leavingreason": Rows("COW"),
    "subscribers_subscriber": Rows("OW"),
    "subscribers_suppression": Rows("OW", add="OW"),
    "subscribers_consentevent": Rows("OW"),
    "subscribers_consenttext": Rows("OW"),
    "subscribers_systemmail": Rows("OW"),
    "subscribers_importjob": Rows("OW", add="OW", change="OW"),
    "subscribers_auditevent": Rows("W"),
    "axes_accessattempt": Rows("W"),
    "auth_group": Rows("W"),
    "auth_user": Rows("W", add="W", change="W", delete="W"),
}

#: Before the login there is no role; these have tests of their own.
DOORS = {"login", "logout"}


def usual(name: str, rows: Rows) -> dict[str, Page]:
    """Return Django's pages about rows of a kind."""
    of = ("object_id", name.rpartition("_")[2])
    return {
        f"{name}_changelist": Page(rows.see, rows.see),
        f"{name}_export": Page(rows.see, rows.see),
        f"{name}_add": Page(rows.add, rows.add),
        f"{name}_change": Page(rows.see, rows.change, of),
        f"{name}_delete": Page(rows.delete, rows.delete, of),
        f"{name}_history": Page(rows.see, "", of),
    }


def expected() -> dict[str, Page]:
    """Return what every address should answer; a line of its own comes before the usual."""
    found: dict[str, Page] = {}
    for name, rows in ROWS.items():
        found |= usual(name, rows)
    return {**found, **PAGES}

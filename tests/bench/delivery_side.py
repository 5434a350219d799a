"""One side of the delivery bench, in a process of its own: `prepare`, `deliver` or `naive`."""

import json
import random
import resource
import sys
import time
from datetime import UTC, datetime
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django first
from django.core.mail import send_mail  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.template import engines  # noqa: E402
from django.utils import timezone  # noqa: E402
from mjml import mjml2html  # noqa: E402

from digest import editions, enrolling  # noqa: E402
from digest.delivery.run import Worker, run  # noqa: E402
from digest.models import Appearance, Delivery, Edition, Paper, PaperTopic  # noqa: E402
from subscribers.models import Subscriber, Topic  # noqa: E402

CANDIDATES = 1_500
DAY = datetime(2026, 3, 4, tzinfo=UTC)
WORDS = """
attention gradient splatting diffusion token policy reward vision language transformer sparse latent graph
retrieval robot speech protein alignment benchmark inference memory planning video depth scene audio medical
code agent reasoning safety federated quantised curriculum contrastive multimodal causal temporal spectral
""".split()

#: The same things as in the digest, written as one first would: a template of MJML over the papers.
NAIVE_MJML = """<mjml><mj-head><mj-title>{{ list_name }}</mj-title></mj-head>
<mj-body background-color="#faf8f4">
<mj-section><mj-column><mj-text align="right">
<a href="{{ site }}/editions/{{ edition.day }}/">Read online</a> ·
<a href="{{ site }}/u/{{ reader.public_id }}">Unsubscribe</a></mj-text>
<mj-text font-size="36px">{{ list_name }}</mj-text><mj-text>{{ edition.day }}</mj-text>
<mj-divider border-width="2px" /></mj-column></mj-section>
{% for paper in papers %}<mj-section><mj-column>
<mj-text color="#0f5c66">You follow {{ paper.topics.all.0.name }}</mj-text>
<mj-text font-size="20px"><a href="{{ paper.abstract_url }}">{{ paper.title }}</a></mj-text>
<mj-text>{{ paper.authors|slice:":2"|join:", " }} · {{ paper.published_at|date:"j F" }} ·
{{ paper.upvotes }} votes · {{ paper.comments }} comments</mj-text>
<mj-text>{{ paper.abstract|truncatechars:300 }}</mj-text>
<mj-text>{% for topic in paper.topics.all %}<span>{{ topic.name }}</span> {% endfor %}</mj-text>
<mj-text><a href="{{ paper.abstract_url }}">Abstract</a> <a href="{{ paper.pdf_url }}">PDF</a></mj-text>
<mj-divider border-width="1px" /></mj-column></mj-section>{% endfor %}
<mj-section><mj-column><mj-button href="{{ site }}/editions/{{ edition.day }}/">Read all</mj-button>
<mj-text>You get this because {{ reader.address }} subscribed to {{ list_name }}.</mj-text>
<mj-text><a href="{{ site }}/preferences/{{ reader.public_id }}">Preferences</a> ·
<a href="{{ site }}/preferences/{{ reader.public_id }}#pause">Pause</a> ·
<a href="{{ site }}/u/{{ reader.public_id }}">Unsubscribe</a></mj-text>
<mj-text>{{ postal_address }}</mj-text></mj-column></mj-section></mj-body></mjml>"""
NAIVE_TEXT = """{% for paper in papers %}{{ paper.title }}
{{ paper.authors|slice:":2"|join:", " }}
{{ paper.abstract|truncatechars:300|wordwrap:76 }}
{{ paper.abstract_url }}

{% endfor %}Unsubscribe: {{ site }}/u/{{ reader.public_id }}
"""


def sentence(rng: random.Random, words: int) -> str:
    """Return `words` words that look like an abstract."""
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize()


def prepare(readers: int) -> dict[str, Any]:
    """Make a database with an approved edition; it is enrolled later, for as many readers as measured."""
    call_command("migrate", verbosity=0)
    rng = random.Random(7)
    topics = list(Topic.objects.all())
    papers = Paper.objects.bulk_create(
        Paper(
            identity=f"2603.{n:05d}",
            arxiv_id=f"2603.{n:05d}",
            title=sentence(rng, 9),
            abstract=sentence(rng, 160) + ".",
            authors=[f"Author {rng.randrange(900)} Example{k}" for k in range(rng.randrange(1, 9))],
            categories=["cs.LG"],
            upvotes=int(rng.paretovariate(1.2)) % 400,
            published_at=DAY,
            stored_at=DAY,
        )
        for n in range(CANDIDATES)
    )
    PaperTopic.objects.bulk_create(
        PaperTopic(paper=paper, topic=topic) for paper in papers for topic in rng.sample(topics, 2)
    )
    Appearance.objects.bulk_create(
        Appearance(paper=paper, source="huggingface", day=DAY.date()) for paper in papers
    )
    edition = editions.open_edition(DAY.date(), at=timezone.now())
    began = time.perf_counter()
    edition = editions.freeze(edition, at=timezone.now())
    seconds = time.perf_counter() - began
    editions.approve(edition, at=timezone.now())
    call_command("seed", readers=readers, verbosity=0)
    return {"freeze": seconds}


def deliver(readers: int) -> dict[str, Any]:
    """Enroll the first `readers` readers, then run the claim loop as `deliver --now` does."""
    Subscriber.objects.exclude(
        pk__in=list(Subscriber.objects.order_by("pk").values_list("pk", flat=True)[:readers])
    ).delete()
    enrolling.enroll(Edition.objects.get(), at=timezone.now())
    began = time.perf_counter()
    worker = Worker(timezone.now)
    run(worker, any_hour=True)
    worker.close()
    seconds = time.perf_counter() - began
    assert Delivery.objects.filter(state=Delivery.State.ACCEPTED).count() == readers
    return {"seconds": seconds}


def naive(readers: int) -> dict[str, Any]:
    """Per reader: ask the tables, render the MJML, `send_mail`; as many papers as the reader wants."""
    mjml, text = (engines["django"].from_string(source) for source in (NAIVE_MJML, NAIVE_TEXT))
    edition = Edition.objects.get()
    began = time.perf_counter()
    for reader in Subscriber.objects.order_by("pk")[:readers]:
        papers = (
            Paper.objects.filter(candidacies__edition=edition, topics__in=reader.topics.all())
            .distinct()
            .order_by("-upvotes")
            .prefetch_related("topics")[: reader.size]
        )
        context = {
            "papers": papers,
            "reader": reader,
            "edition": edition,
            "list_name": settings.LIST_NAME,
            "site": settings.SITE_URL,
            "postal_address": settings.POSTAL_ADDRESS,
        }
        send_mail(
            f"{settings.LIST_NAME}: {papers[0].title}",
            text.render(context),
            settings.DEFAULT_FROM_EMAIL,
            [reader.address],
            html_message=mjml2html(mjml.render(context), fonts={}),
        )
    return {"seconds": time.perf_counter() - began}


if __name__ == "__main__":
    figures = {"prepare": prepare, "deliver": deliver, "naive": naive}[sys.argv[1]](int(sys.argv[2]))
    unit = 1024 if sys.platform == "linux" else 1024**2  # getrusage: kilobytes on Linux, bytes on macOS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    print(json.dumps({**figures, "peak": peak}))

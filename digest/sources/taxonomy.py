"""arXiv's categories: the active ones by canonical name, and the other names some of them have."""

_SUBJECTS = {
    "astro-ph": "CO EP GA HE IM SR",
    "cond-mat": "dis-nn mes-hall mtrl-sci other quant-gas soft stat-mech str-el supr-con",
    "cs": (
        "AI AR CC CE CG CL CR CV CY DB DC DL DM DS ET FL GL GR GT HC IR IT LG LO MA MM MS NE NI OH "
        "OS PF PL RO SC SD SE SI"
    ),
    "econ": "EM GN TH",
    "eess": "AS IV SP SY",
    "gr-qc": "",
    "hep-ex": "",
    "hep-lat": "",
    "hep-ph": "",
    "hep-th": "",
    "math-ph": "",
    "math": "AC AG AP AT CA CO CT CV DG DS FA GM GN GR GT HO KT LO MG NA NT OA OC PR QA RA RT SG SP ST",
    "nlin": "AO CD CG PS SI",
    "nucl-ex": "",
    "nucl-th": "",
    "physics": (
        "acc-ph ao-ph app-ph atm-clus atom-ph bio-ph chem-ph class-ph comp-ph data-an ed-ph flu-dyn "
        "gen-ph geo-ph hist-ph ins-det med-ph optics plasm-ph pop-ph soc-ph space-ph"
    ),
    "q-bio": "BM CB GN MN NC OT PE QM SC TO",
    "q-fin": "CP GN MF PM PR RM ST TR",
    "quant-ph": "",
    "stat": "AP CO ME ML OT",
}
#: Two names of one category: arXiv shows either, the house keeps the right-hand one.
ALIASES = {
    "cs.NA": "math.NA",
    "cs.SY": "eess.SY",
    "math.IT": "cs.IT",
    "math.MP": "math-ph",
    "q-fin.EC": "econ.GN",
    "stat.TH": "math.ST",
}
CATEGORIES = frozenset(
    f"{archive}.{subject}" if subject else archive
    for archive, subjects in _SUBJECTS.items()
    for subject in subjects.split() or [""]
)


def canonical(name: str) -> str | None:
    """Return the category's canonical name, or None where arXiv has no such active category."""
    name = ALIASES.get(name, name)
    return name if name in CATEGORIES else None


def canonical_all(names: list[str]) -> tuple[str, ...]:
    """Return the categories among `names` in their order, each once; MSC and ACM codes fall out.

    arXiv mixes classification codes in, several in one string: "68T45, I.4.2".
    """
    return tuple(dict.fromkeys(found for name in names if (found := canonical(name.strip()))))

r"""TeX in titles and abstracts, made readable: `$\alpha$-nets in $O(n^2)$` becomes `α-nets in O(n²)`.

Only what is surely mathematics is touched, so "costs $5 and $10" stays. What is not understood stays too.
"""

import re

# A dollar opens before a non-blank and closes after one, and no digit follows: pandoc's rule for mathematics.
_MATH = re.compile(r"\$(?!\s)([^$\n]{1,120}?)(?<!\s)\$(?!\d)")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_STYLED = re.compile(
    r"\\(?:text(?:bf|it|sc|tt|rm|sf)?|emph|math(?:bf|it|rm|cal|bb|sf|tt|frak)|boldsymbol|mbox|operatorname)"
    r"\s?\{([^{}]{0,200})\}"
)
_SCRIPT = re.compile(r"([\^_])(?:\{([^{}\s]{1,8})\}|([A-Za-z0-9+*-]))")

_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "vartheta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν",
    "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ",
    "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ",
    "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
    "times": "×", "cdot": "·", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠",
    "approx": "≈", "sim": "~", "infty": "∞", "to": "→", "rightarrow": "→", "leftarrow": "←", "in": "∈",
    "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏", "sqrt": "√", "ell": "ℓ", "ldots": "…", "dots": "…",
    "cdots": "…", "log": "log", "exp": "exp", "max": "max", "min": "min", "ll": "≪", "gg": "≫",
    "circ": "∘", "propto": "∝", "mid": "|", "forall": "∀", "exists": "∃", "subset": "⊂", "cup": "∪",
    "cap": "∩", "uparrow": "↑", "downarrow": "↓", "langle": "⟨", "rangle": "⟩", "left": "", "right": "",
}  # fmt: skip
_UP = dict(zip("0123456789+-n*", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ*", strict=True))
_DOWN = dict(zip("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋", strict=True))


def readable(text: str) -> str:
    """Return `text` with its simple mathematics as signs."""
    if "$" not in text and "\\" not in text:
        return text
    return _MATH.sub(_math, _unstyled(text))


def _math(found: re.Match[str]) -> str:
    inside = _COMMAND.sub(lambda command: _SYMBOLS.get(command[1], command[0]), found[1])
    inside = _SCRIPT.sub(_script, inside).replace("\\%", "%").replace("\\,", " ").replace("{,}", ",")
    if "\\" not in inside:
        inside = inside.replace("{", "").replace("}", "")
    return inside.strip() or found[0]


def _unstyled(text: str) -> str:
    """Return `text` without `\\emph{...}` and its like, two deep."""
    for _ in range(2):
        text = _STYLED.sub(r"\1", text)
    return text.replace("\\%", "%").replace("\\&", "&").replace("\\_", "_").replace("\\$", "$")


def _script(found: re.Match[str]) -> str:
    signs = _UP if found[1] == "^" else _DOWN
    inside = found[2] or found[3]
    if all(sign in signs for sign in inside):
        return "".join(signs[sign] for sign in inside)
    return found[1] + inside

"""The stages at which somebody dies; a file of its own, since importing `mortal` wraps the product."""

#: Of the web the first three, of a worker the others.
STAGES = ("before storing", "stored", "answered", "before the commit", "committed", "suppressing")

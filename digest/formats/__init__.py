"""How days and moments are written; Django looks for each language in a package of its own."""

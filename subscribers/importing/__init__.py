"""Readers come in from other places' CSV files, and go out as CSV.

`jobs` keeps the file and the job's state; `running` walks the file in batches: `sheets` makes rows of bytes
(`decoding`, `records`), `formats` makes them entries (a provider's words stop there), `resource` judges them,
`admitting` lets them in. `exporting` is the way back; `guarding` keeps spreadsheets from running a cell.
"""

"""Tables of the documents that are made from the code, each between two comments."""

from __future__ import annotations


def with_table(document: str, name: str, table: str) -> str:
    """The document with this table between its markers; raises ``ValueError`` if it has none."""
    begin = f"<!-- {name} table: begin (make docs writes it) -->"
    end = f"<!-- {name} table: end -->"
    before, _, rest = document.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the document has no markers for the table of {name}")
    return f"{before}{begin}\n{table}{end}{after}"

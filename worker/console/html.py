"""HTML from Python values: whatever is not markup already is escaped, so that no message can become any."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

_EMPTY = frozenset({"input", "link", "meta", "br"})


class Html(str):
    """Markup that was made here."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]


def tag(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """An element. ``class_`` is ``class``, ``data_label`` is ``data-label``; None and False leave one out."""
    told = "".join(
        _attribute(key.rstrip("_").replace("_", "-"), value)
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _EMPTY:
        return Html(f"<{name}{told}>")
    return Html(f"<{name}{told}>{together(children)}</{name}>")


def together(children: Child) -> Html:
    """Children one after another."""
    if children is None:
        return Html()
    if isinstance(children, Html):
        return children
    if isinstance(children, (str, int)):
        return Html(escape(str(children)))
    return Html("".join(together(child) for child in children))


def _attribute(name: str, value: str | int | bool) -> str:
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'

"""HTML put together from elements, so that text cannot become markup: a `str` is escaped, only `Markup` is not."""

from html import escape
from typing import Final

_VOID: Final = frozenset({"input", "link", "meta"})


class Markup(str):
    """Finished HTML. Made by the functions here, and from the files of this package; never from what others wrote."""

    __slots__ = ()


def element(tag: str, *children: str, **attributes: str | bool) -> Markup:
    """One element. An attribute that is False or empty is left out; ``class_`` is written class, ``data_x`` data-x."""
    written = "".join([_attribute(name, value) for name, value in attributes.items() if value is not False and value])
    if tag in _VOID:
        return Markup(f"<{tag}{written}>")
    return Markup(f"<{tag}{written}>{joined(*children)}</{tag}>")


def joined(*children: str) -> Markup:
    """Several pieces one after the other."""
    return Markup("".join([each if isinstance(each, Markup) else escape(each) for each in children]))


def _attribute(name: str, value: str | bool) -> str:
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'

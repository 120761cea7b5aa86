"""One sentence for each way in which a value can miss its schema. Pure words: no validator, no files."""

import re
from typing import Any, Final
from unicodedata import normalize

from msgspec import Struct

from reconciler.suggestions import suggestion
from reconciler.yamlsource import Quoted

_LONGEST_SHOWN: Final = 40
_TYPES: Final = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}
_WHOLE: Final = "this document"
_BOOLEANS: Final = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_CLEAR: Final = "write null to clear, or take the line out"


class Fault(Struct, frozen=True):
    """`keyword` of the schema `node` does not hold for the value at `where`.

    `subject` is that value; for ``unknown``, ``propertyNames`` and ``required`` it is the key in question.
    """

    where: tuple[str | int, ...]
    keyword: str
    node: Any
    subject: Any

    @property
    def names_key(self) -> bool:
        """Whether it is about a key that stands in the mapping at `where`."""
        return self.keyword in ("unknown", "propertyNames")


def word(fault: Fault, where: tuple[str | int, ...], owner: str) -> tuple[str, str, str, str]:
    """Code, summary, why and mend; `where` is the path as the reader should see it, inside of `owner`."""
    name = named(where) or owner or _WHOLE
    match fault.keyword:
        case "unknown":
            return _unknown(fault, name)
        case "required":
            return _missing(fault, name)
        case "propertyNames":
            rule = _own(fault.node) or "may not be used as a key here"
            return "bad-key", f'"{_cut(str(fault.subject))}" {rule}', "", _other_key(fault)
        case "type":
            return _type(fault, name)
        case "enum" | "const":
            return _choice(fault, name)
        case "minLength" if fault.subject == "":
            clear = _CLEAR if "null" in fault.node.get("type", ()) else "write a value"
            return "empty-text", f"{name} is an empty text", "", clear
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum":
            return "out-of-range", f"{name} {_expected(fault)}, not {shown(fault)}", "", ""
        case "minItems" | "minProperties":
            return "nothing-in-it", f"{name} holds nothing", "", "write what it should hold, or take it out"
        case "uniqueItems":
            return "repeated-item", f"{name} holds a value twice", "", "take one out"
        case "falseSchema":
            return "not-here", f"{name} cannot be written here", "", "take it out"
        case _:
            return "wrong-form", f"{name} {_expected(fault)}, not {shown(fault)}", "", ""


def named(where: tuple[str | int, ...]) -> str:
    """A path as people read it: ``members item 3``, ``routingSkills.Billing``."""
    words = ""
    for step in where:
        if isinstance(step, int):
            words += f" item {step + 1}"
        else:
            words += f".{step}" if words else str(step)
    return words.strip()


def shown(fault: Fault) -> str:
    """The value for a message: short, and nothing of one that may be secret."""
    value = fault.subject
    if isinstance(fault.node, dict) and fault.node.get("writeOnly"):
        return "what stands there"
    if isinstance(value, str):
        return f'"{_cut(value)}"'
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return "null" if value is None else str(value).lower()


def _unknown(fault: Fault, name: str) -> tuple[str, str, str, str]:
    known = fault.node.get("properties", {}) if isinstance(fault.node, dict) else {}
    key = _cut(str(fault.subject))
    place = f" in {name}" if name != _WHOLE else ""
    return "unknown-key", f"there is no key {key}{place}", "", suggestion(str(fault.subject), known)


def _missing(fault: Fault, name: str) -> tuple[str, str, str, str]:
    owner = "" if name == _WHOLE else f" in {name}"
    return "missing-key", f"{fault.subject} is missing{owner}", "", f"write {fault.subject}"


def _other_key(fault: Fault) -> str:
    """A key like the one that is none, if it can be made of it."""
    pattern = fault.node.get("pattern", "") if isinstance(fault.node, dict) else ""
    plain = normalize("NFKD", str(fault.subject).strip()).encode("ascii", "ignore").decode()
    likely = "-".join(plain.split()) if pattern else ""
    if likely and re.search(pattern, likely):
        return f"write another key, such as {likely}; the name that people see is displayName"
    return "write another key"


def _type(fault: Fault, name: str) -> tuple[str, str, str, str]:
    types = fault.node.get("type", ()) if isinstance(fault.node, dict) else ()
    types = [types] if isinstance(types, str) else list(types)
    value, mend = fault.subject, ""
    if isinstance(value, bool) and "string" in types:
        mend = f'write "{str(value).lower()}" in quotes if it is text'
    elif isinstance(value, Quoted) and {"number", "integer"} & set(types):
        mend = "take the quotes away: in quotes it is text"
    elif "boolean" in types and isinstance(value, str):
        mend = f"write {_BOOLEANS.get(value.lower(), 'true or false')}, without quotes"
    elif value is None and "null" not in types:
        mend = "take the line out"
    elif types == ["array"] or (types and set(types) <= {"array", "null"} and isinstance(value, str)):
        plain = isinstance(value, str) and len(value) <= _LONGEST_SHOWN and not set(value) & set("[]{},:#\"'")
        mend = f"write [{value}], or one item a line with a dash" if plain else "write one item a line with a dash"
    elif isinstance(value, str | list) and "object" in types and "string" not in types and fault.node.get("examples"):
        mend = f"write it like {name}: {_flow(fault.node['examples'][0])}"
    elif isinstance(value, list) and "object" in types:
        mend = "write key: value instead of items with dashes"
    elif isinstance(value, list) and "string" in types:
        mend = "write one text, without brackets or dashes"
    return "wrong-type", f"{name} {_expected(fault)}, not {shown(fault)}", "", mend


def _flow(example: Any) -> str:
    """An example of a schema as YAML has it on one line."""
    if isinstance(example, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in example.items()) + "}"
    return str(example)


def _choice(fault: Fault, name: str) -> tuple[str, str, str, str]:
    node = fault.node
    choices = [str(each) for each in (node.get("enum") or [node.get("const")]) if each is not None]
    own = _own(node)
    rule = own or f"must be {_either(choices)}"
    return "wrong-value", f"{name} {rule}, not {shown(fault)}", "", suggestion(str(fault.subject), choices)


def _expected(fault: Fault) -> str:
    node = fault.node if isinstance(fault.node, dict) else {}
    own = _own(node)
    if own:
        return own
    if fault.keyword in ("minimum", "exclusiveMinimum"):
        return f"must be {'more than' if 'exclusive' in fault.keyword else 'at least'} {node[fault.keyword]}"
    if fault.keyword in ("maximum", "exclusiveMaximum"):
        return f"must be {'less than' if 'exclusive' in fault.keyword else 'at most'} {node[fault.keyword]}"
    types = node.get("type", [])
    words = [_TYPES.get(each, each) for each in ([types] if isinstance(types, str) else types)]
    if fault.keyword != "type" or not words:
        return "has another form than it must have"
    return f"must be {_either(words)}"


def _own(node: Any) -> str:
    """The schema's own sentence, without the name of the value."""
    return str(node.get("errorMessage", "")) if isinstance(node, dict) else ""


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"

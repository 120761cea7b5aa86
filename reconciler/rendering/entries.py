"""One entry of a list in Markdown: a change, what others did, who gains what, a remark, a broken rule."""

from typing import Final

from reconciler.rendering.access import AccessLine
from reconciler.rendering.commonmark import code, fence, prose
from reconciler.rendering.differences import gist
from reconciler.rendering.folding import Risk
from reconciler.rendering.view import Block, BrokenRule, People, Remark
from reconciler.rendering.wording import EARLIER

ALARMING: Final = Risk.REACTIVATES
"""Up to this risk a change stands in the warning block."""
_NAMED: Final = 40
"""So many identities are named by one remark."""


def change_entry(block: Block) -> str:
    """A change, or many equal ones; whom it concerns is named whole where something is taken or given back."""
    vital = block.risk is not Risk.REST
    does = f"**{block.predicate}**" if vital else block.predicate
    said = gist(block.lines, unless_longer=not vital) if "created" not in block.predicate else []
    parts = [f"- {_whom(block)} {does}{': ' if said else ''}{', '.join(code(each) for each in said)}"]
    if block.people.named:
        parts.append(_people(block.people, None if vital else _NAMED))
    told = EARLIER if block.earlier and block.risk <= ALARMING else ""
    parts += [prose(each) for each in (told, *block.notes, block.aside) if each]
    return " · ".join(parts)


def drift_entry(block: Block) -> str:
    """What others did to somebody."""
    happened = [prose(block.predicate)] if block.predicate else [code(each) for each in gist(block.lines)]
    parts = [f"- {_whom(block)}: {', '.join(happened)}", *(prose(each) for each in block.notes)]
    if block.people.named:
        parts.append(_people(block.people))
    return " · ".join(parts)


def access_entry(line: AccessLine) -> str:
    """What one person gains and loses."""
    whom = f"{code(line.whom)} ({prose(line.label)})" if line.label else code(line.whom)
    return f"- {whom} {f'**{prose(line.does)}**' if line.privileged else prose(line.does)}"


def remark_entry(remark: Remark) -> str:
    """Something that a reader should know, with how to mend it."""
    about = _people(remark.about)
    count = len(remark.about.named) + remark.about.hidden
    lead = f"{about}: " if count == 1 else ""
    rows = [f"- {lead}{prose(remark.text)}{f' · {code(remark.place)}' if remark.place else ''}"]
    if count > 1:
        rows.append(f"{count:,} identities: {about}")
    rows += [prose(remark.detail)] if remark.detail else []
    rows += [f"mend: {prose(remark.mend)}"] if remark.mend else []
    return "\\\n  ".join(rows)


def rule_entry(rule: BrokenRule) -> str:
    """A broken safety rule, with the line that accepts it."""
    rows = [f"- {code(rule.rule)}: {prose(rule.summary)}"]
    rows += [_people(rule.items)] if rule.items.named else []
    rows += [prose(rule.mend)] if rule.mend else []
    if not rule.acceptance:
        return "\\\n  ".join(rows)
    rows.append("To accept exactly this, add to `acceptances.yaml` in the same pull request:")
    return "\\\n  ".join(rows) + "\n\n  " + fence([rule.acceptance], "yaml").replace("\n", "\n  ")


def _whom(block: Block) -> str:
    if len(block.identities) > 1:
        return f"**{block.subject}**"
    label = block.identities[0].label
    return f"{code(block.subject)} ({prose(label)})" if label else code(block.subject)


def _people(people: People, most: int | None = _NAMED) -> str:
    shown = people.named[:most]
    hidden = len(people.named) - len(shown) + people.hidden
    return ", ".join(map(code, shown)) + (f" and {hidden:,} more" if hidden else "")

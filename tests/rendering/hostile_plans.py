"""Text that somebody might write to harm whoever reads a plan, and a plan that is made of it."""

from msgspec.structs import replace

from reconciler.model import (
    AccessChange,
    AccessItem,
    AccessKind,
    Action,
    Cause,
    Change,
    Diagnostic,
    LiveReference,
    Origin,
    PatchResource,
    Plan,
    ResourceType,
    Severity,
    SourceLocation,
    Violation,
)
from tests.rendering import rendered_plans as plans

SPELLED = [
    ("plain text, ünïcödé: 李 Đặng", "plain text, ünïcödé: 李 Đặng"),
    ("a\x1b[31mred\x1b[0m", "a\\u001b[31mred\\u001b[0m"),
    ("\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\\u001b]8;;https://evil.example\\u001b\\click"),
    ("\x9b2J", "\\u009b2J"),
    ("a\u202egnp.exe", "a\\u202egnp.exe"),
    ("\u2066x\u2069", "\\u2066x\\u2069"),
    ("pay\u200bpal\u200d\ufeff\u00ad", "pay\\u200bpal\\u200d\\ufeff\\u00ad"),
    ("one\ntwo\r\nthree\tfour", "one\\ntwo\\r\\nthree\\tfour"),
    ("\u2028\u2029\x85\x0b\x0c\x00\x7f", "\\u2028\\u2029\\u0085\\u000b\\u000c\\u0000\\u007f"),
    ("::set-output name=x::y", "\\u003a:set-output name=x::y"),
    (" ::warning::x", " \\u003a:warning::x"),
    ("x ::error::y", "x \\u003a:error::y"),
    (":::stop-commands::x", "\\u003a::stop-commands::x"),
    ("##vso[task.setvariable variable=x]y", "\\u0023#vso[task.setvariable variable=x]y"),
    ("late ##[error]y", "late \\u0023#[error]y"),
    ("##teamcity[x]", "\\u0023#teamcity[x]"),
    ("## a heading, a::b", "## a heading, a::b"),
    ("%0A::error::x", "%0A::error::x"),
    ("\ud800\udcff", "\\ud800\\udcff"),
    ("\ue000\U000f0000\U0010ffff\U000e0041", "\\ue000\\U000f0000\\U0010ffff\\U000e0041"),
    ("Ann\u00a0Lee\u3000x", "Ann\\u00a0Lee\\u3000x"),
    ("\u3164\u115f\u2800\ufe0f\U000e0100", "\\u3164\\u115f\\u2800\\ufe0f\\U000e0100"),
    ("a" + "\u0323" * 5, "a\u0323\u0323\u0323\\u0323\\u0323"),
    ("[x](javascript:1) `c` **b** @team <b onclick=x>", "[x](javascript:1) `c` **b** @team <b onclick=x>"),
]
"""Text, and how the beginning of it is spelled."""

MARKUP = [
    "`",
    "``",
    "a`b``c```d",
    "``` x",
    "~~~",
    "\\`",
    "tail\\",
    "`x` @team",
    "@octocat",
    "@org/team, @all.",
    "#1",
    "GH-1",
    "org/repo#1",
    "!1 %2 ~3 &4",
    "deadbeef",
    "https://evil.example/x",
    "www.evil.example",
    "x@evil.example",
    "[a](https://evil.example)",
    "![a](https://evil.example/a.png)",
    "[a]: https://evil.example",
    "[^1]: x",
    "<https://evil.example>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</style></title></textarea><b>",
    "</details></summary><h1>",
    "--> <b> <!-- x",
    "--!><b>",
    "<![CDATA[ x ]]> <?php ?>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "&lt;b&gt; &#64;team &commat;team",
    "# heading",
    "1. x",
    "1) x",
    "- [ ] x",
    "> x",
    "[!CAUTION]",
    "===",
    "---",
    "***",
    "| a | b |",
    "**x** __y__ *z* _w_ ~~v~~",
    "$x$ $`y`$",
    ":smile: :+1:",
    "{{ 7 * 7 }} ${{ secrets.X }}",
    "Jos\u00e9 (the \u2019brave\u2019), 1,000 people: 5% more!",
]
"""What Markdown, HTML and the services that show them would make something of."""

HOSTILE = [
    *(text for text, _ in SPELLED[1:]),
    "::set-output name=x::" + "y" * 300,
    "word " * 30 + "::add-mask::word " * 30,
    ":" * 500,
    "x" * 10_000,
    "\u202e" * 10_000,
    ":",
    "\n::error::x",
    *MARKUP,
]


def hostile_change(bad: str) -> Change:
    source = SourceLocation(bad, 1)
    return plans.change(
        plans.user(bad),
        plans.changed("userName", bad, bad + "2", notes=(bad,), origin=Origin(source, bad)),
        plans.changed(f"{plans.ENTERPRISE}:manager", bad, "unknown" + bad),
        plans.changed(f"{plans.ENTERPRISE}:manager", plans.user(bad), LiveReference(ResourceType.USER, bad)),
        plans.changed("urn:acme:User:custom", {bad: [bad]}, bad),
        plans.changed(f'emails[type eq "{bad}"].{bad}', bad, None),
        plans.added(f'emails[type eq "{plans.SKILLS}"].value', bad),
        plans.added(bad, bad),
        plans.added("roles", None, bad, until=bad),
        plans.gone("members", None, bad),
        plans.gone(plans.SKILLS, bad, bad),
        reason=bad,
        source=source,
        notes=(bad,),
        warnings=(bad,),
        label=bad,
        kept={"roles": 3},
    )


def hostile_diagnostic(bad: str, severity: Severity, sourced: bool) -> Diagnostic:
    return Diagnostic(
        severity=severity,
        code=bad,
        summary=bad,
        detail=bad,
        mend=bad,
        address=plans.group(bad),
        source=SourceLocation(bad, 2) if sourced else None,
    )


def hostile_plan(bad: str) -> Plan:
    change = hostile_change(bad)
    quiet = replace(change, warnings=())
    equal = tuple(replace(quiet, address=plans.user(f"{n}{bad}")) for n in range(4))
    created = replace(change, address=plans.user(bad + "c"), actions=(Action.CREATE,), cause=Cause.DUE)
    operations = tuple(PatchResource(number=n, address=change.address, live_id=bad, operations=()) for n in range(4))
    items = tuple(AccessItem(kind=each, attribute=bad, name=bad, privileged=True) for each in AccessKind)
    return Plan(
        target=bad,
        profile=bad,
        changes=(change, created, *equal),
        drift=(plans.drifted(change), *(plans.drifted(each) for each in equal), plans.drifted(created)),
        operations=operations,
        violations=(Violation(rule=bad, summary=bad, actual=1, limit=0, items=(bad,), digest=bad[:3], mend=bad),),
        refused=(hostile_diagnostic(bad, Severity.ERROR, True),),
        notices=tuple(hostile_diagnostic(bad, each, True) for each in (Severity.WARNING, Severity.NOTICE)),
        names={bad: (bad, bad)},
        matched={ResourceType.USER: 1},
        requests=4,
        access=(AccessChange(person=bad, name=bad, label=bad + "2", gains=items, loses=items, ends=True),),
    )

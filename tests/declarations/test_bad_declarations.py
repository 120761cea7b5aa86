"""Everything that is refused, each with its code and the place that a person is sent to.

A ``§`` in a snippet marks where the problem must be reported; the codes follow in the order of the marks.
"""

from pathlib import Path

import pytest

from reconciler.model import Severity
from reconciler.profiles.profile import Profile
from tests.declarations.declaring import GENESYS, RFC, problems

WARNINGS = {"groups-cannot-be-renamed", "without-nothing", "rule-matches-nobody", "empty-file"}

SYNTAX = {
    "tab in the indentation": ("users:\n§\ta: {userName: a@x.io}", "tab-indentation"),
    "tab inside of a flow mapping": ("users: {\n§\ta: {userName: a@x.io}}", "tab-indentation"),
    "tab in a continued text": ("users:\n  a:\n    userName: a@x.io\n    title: Senior\n§\tAgent", "tab-indentation"),
    "tag": ("users:\n  a: {userName: a@x.io, title: §!!str 5}", "tag"),
    "tag on a mapping": ("users: §!people\n  a: {userName: a@x.io}", "tag"),
    "own tag": ("users:\n  a: {userName: a@x.io, title: §!Ref x}", "tag"),
    "empty value": ("users:\n  a:\n    userName: a@x.io\n    §roles:\n", "empty-value"),
    "empty value in the middle": ("users:\n  a:\n    §title:\n    userName: a@x.io\n", "empty-value"),
    "empty value at the top": ("§users:\n", "empty-value"),
    "empty item": ("users:\n  a:\n    userName: a@x.io\n    roles:\n      - Agent\n      -§\n", "empty-item"),
    "glued comment in a list": (
        "users:\n  a:\n    userName: a@x.io\n    roles:\n      - §Agent #2\n",
        "glued-comment",
    ),
    "glued comment in a mapping": ("users:\n  a:\n    userName: a@x.io\n    title: §Agent #2\n", "glued-comment"),
    "glued comment in a flow list": (
        "users:\n  a:\n    userName: a@x.io\n    roles: [§Agent #2, b]\n",
        "glued-comment",
    ),
    "glued comment and no value": ("users:\n  a:\n    userName: a@x.io\n    title:§ #2\n", "glued-comment"),
    "repeated key": ("users:\n  a: {userName: a@x.io, title: Agent, §title: Lead}", "repeated-key"),
    "repeated section": ("users:\n  a: {userName: a@x.io}\n§users:\n  b: {userName: b@x.io}", "repeated-key"),
    "repeated user in one mapping": ("users:\n  a: {userName: a@x.io}\n  §a: {userName: b@x.io}", "repeated-key"),
    "repeated key in another normal form": (
        "users:\n  a: {userName: a@x.io, externalId: x, emails: {é: a@x.io, §é: b@x.io}}",
        "repeated-key",
    ),
    "complex key": ("users:\n  ? §[a, b]\n  : {userName: a@x.io}", "complex-key"),
    "mapping as a key": ("§{a: b}: c", "complex-key"),
    "alias as a key": (
        "templates: {&t agent: {title: x}}\nusers:\n  §*t : {userName: a@x.io}",
        "complex-key",
    ),
    "empty key": ("users:\n  ?§\n  : {userName: a@x.io}", "empty-key"),
    "unknown alias": ("users:\n  a: {userName: a@x.io, title: §*lead}", "unknown-alias"),
    "alias of what is open": ("users: &all\n  a: §*all", "recursive-alias"),
    "merge of a text": ("users:\n  a: {userName: a@x.io, <<: §agent}", "wrong-merge"),
    "two merges": (
        "templates: {x: &x {title: A}, y: &y {title: B}}\nusers:\n  a:\n    userName: a@x.io\n    <<: *x\n    §<<: *y",
        "repeated-key",
    ),
    "unclear word": ("users:\n  a: {userName: a@x.io, active: §True}", "unclear-word"),
    "null spelled otherwise": ("users:\n  a: {userName: a@x.io, title: §NULL}", "unclear-word"),
    "colon in a value": ("users:\n  a:\n    title: Lead§: Berlin", "yaml-syntax"),
    "open quotes": ("users:\n  a:\n    title: §'Lead\n", "yaml-syntax"),
    "open list": ("users:\n  a:\n    roles: §[Agent, Lead\n", "yaml-syntax"),
    "open mapping": ("users:\n  a: §{userName: a@x.io\n", "yaml-syntax"),
    "begins with @": ("users:\n  a:\n    title: §@lead", "yaml-syntax"),
    "bad escape": ('users:\n  a:\n    title: "a§\\q"', "yaml-syntax"),
    "wrong indentation": ("users:\n  a:\n    title: x\n   §userName: a@x.io", "yaml-syntax"),
    "list item beside keys": ("users:\n  a:\n    title: x\n    §- y", "yaml-syntax"),
    "star without a name": ("users:\n  a:\n    title: §* lead", "yaml-syntax"),
    "control character by escape": ('users:\n  a: {userName: a@x.io, title: §"a\\e[31m"}', "control-character"),
    "line break that nobody sees": ("users:\n  a: {userName: a@x.io, title: a§\u2028b}", "control-character"),
    "control character in the file": ("users:\n  a: {userName: a@x.io, title: a§\x07}", "control-character"),
}

SHAPE = {
    "not a mapping": ("§- a\n- b", "wrong-type"),
    "a text": ("§hello", "wrong-type"),
    "unknown section": ("§user:\n  a: {userName: a@x.io}", "unknown-key"),
    "unknown key": ("users:\n  a: {userName: a@x.io, §tilte: x}", "unknown-key"),
    "unknown key in a name": ("users:\n  a: {userName: a@x.io, name: {§givenname: x}}", "unknown-key"),
    "unknown part of an element": ("users:\n  a: {userName: a@x.io, emails: {work: {§valu: a@x.io}}}", "unknown-key"),
    "password": ("users:\n  a: {userName: a@x.io, §password: s3cr3t}", "password"),
    "password in a template": ("templates:\n  t: {§Password: s3cr3t}", "password"),
    "password in an override": (
        "users:\n  a: {userName: a@x.io, overrides: {here: {§password: [s3cr3t]}}}",
        "password",
    ),
    "id": ("users:\n  a: {userName: a@x.io, §id: x}", "unknown-key"),
    "user whose key is a number": ("users:\n  4711: {userName: a@x.io, §titel: x}\n  5: §x", "unknown-key wrong-type"),
    "users whose keys are the same number": (
        "users:\n  007: {userName: a@x.io}\n  7: {userName: b@x.io, §titel: x}\n  07: {userName: c@x.io, §titel: y}",
        "unknown-key unknown-key",
    ),
    "type that looks like a number": ('users:\n  a: {userName: a@x.io, emails: {"+5": §[x]}}', "wrong-type"),
    "misspelled userName": ("users:\n  a: {§usrName: a@x.io}", "unknown-key"),
    "no userName": ("users:\n  §a: {title: x}", "missing-key"),
    "userName cleared": ("users:\n  a: {userName: §null}", "wrong-type"),
    "no displayName of a group": ("groups:\n  §g: {members: []}", "missing-key"),
    "text attribute as a list": ("users:\n  a: {userName: a@x.io, title: §[x]}", "wrong-type"),
    "text attribute as a boolean": ("users:\n  a: {userName: a@x.io, title: §true}", "wrong-type"),
    "empty text": ('users:\n  a: {userName: a@x.io, title: §""}', "empty-text"),
    "blank text": ('users:\n  a: {userName: a@x.io, title: §"  "}', "empty-text"),
    "empty text in a list": ('users:\n  a: {userName: a@x.io, roles: [Agent, §""]}', "empty-text"),
    "text that stands for an id": ("users:\n  a: {userName: a@x.io, title: §'bulkId:user.b'}", "reserved-text"),
    "login that stands for an id": ("users:\n  a: {userName: §'bulkId:user.b'}", "reserved-text"),
    "role that stands for an id": ("users:\n  a: {userName: a@x.io, roles: [§'bulkId:user.b']}", "reserved-text"),
    "part that stands for an id": ("users:\n  a: {userName: a@x.io, name: {givenName: §'bulkId:b'}}", "reserved-text"),
    "group that stands for an id": ("groups:\n  g: {displayName: §'bulkId:user.b'}", "reserved-text"),
    "own extension with a text that stands for an id": (
        "users:\n  a: {userName: a@x.io, 'urn:x:y': {note: §['bulkId:user.b']}}",
        "reserved-text",
    ),
    "roles as a text": ("users:\n  a: {userName: a@x.io, roles: §Agent}", "wrong-type"),
    "active as a text": ('users:\n  a: {userName: a@x.io, active: §"False"}', "wrong-type"),
    "active as yes": ("users:\n  a: {userName: a@x.io, active: §yes}", "wrong-type"),
    "date in another form": ("users:\n  a: {userName: a@x.io, startsOn: §01.12.2026}", "wrong-form"),
    "no such day": ("users:\n  a: {userName: a@x.io, startsOn: §2026-02-30}", "no-such-day"),
    "until in another form": (
        "users:\n  a: {userName: a@x.io}\ngroups:\n  g: {displayName: G, members: [{user: a, until: §soon}]}",
        "wrong-form",
    ),
    "no such last day": (
        "users:\n  a: {userName: a@x.io}\ngroups:\n  g: {displayName: G, members: [{user: a, until: §2026-13-01}]}",
        "no-such-day",
    ),
    "deleteAfter as a text": (
        'users:\n  a: {userName: a@x.io, endsOn: 2026-01-01, deleteAfter: §"30"}',
        "wrong-type",
    ),
    "deleteAfter of no days": (
        "users:\n  a: {userName: a@x.io, endsOn: 2026-01-01, deleteAfter: §0}",
        "out-of-range",
    ),
    "time zone": ("users:\n  a: {userName: a@x.io, timeZone: §Europe/Berlim}", "unknown-time-zone"),
    "time zone of this machine": ("users:\n  a: {userName: a@x.io, timeZone: §localtime}", "unknown-time-zone"),
    "from as a text": ("templates: {t: {title: x}}\nusers:\n  a: {userName: a@x.io, from: §t}", "wrong-type"),
    "templates nest": ("templates:\n  s: {title: x}\n  t: {§from: [s]}", "unknown-key"),
    "userName in a template": ("templates:\n  t: {§userName: x}", "unknown-key"),
    "targets in an override": (
        "users:\n  a: {userName: a@x.io, overrides: {here: {§targets: [here]}}}",
        "unknown-key",
    ),
    "key with a blank": ("users:\n  §a b: {userName: a@x.io}", "bad-key"),
    "key that begins with a dot": ("groups:\n  §.g: {displayName: G}", "bad-key"),
    "key that is too long": (f"users:\n  §{'a' * 65}: {{userName: a@x.io}}", "bad-key"),
    "user as a text": ("users:\n  a: §a@x.io", "wrong-type"),
    "members as a mapping": ("groups:\n  g: {displayName: G, members: §{a: b}}", "wrong-type"),
    "member with an unknown key": ("groups:\n  g: {displayName: G, members: [{§usr: a}]}", "unknown-key"),
    "member with two kinds": (
        "users: {a: {userName: a@x.io}}\ngroups:\n  g: {displayName: G, members: [§{user: a, live: b}]}",
        "wrong-member",
    ),
    "member with until only": ("groups:\n  g: {displayName: G, members: [§{until: 2026-01-01}]}", "wrong-member"),
    "membership": ("groups:\n  g: {displayName: G, membership: §aditive}", "wrong-value"),
    "rule on what is no attribute": ("groups:\n  g: {displayName: G, memberRule: {§divison: x}}", "unknown-key"),
    "empty rule": ("groups:\n  g: {displayName: G, §memberRule: {}}", "nothing-in-it"),
    "released as a mapping": ("released: §{a: b}", "wrong-type"),
    "manager as a list": ("users:\n  a: {userName: a@x.io, manager: §[b]}", "wrong-type"),
    "several at once": (
        "users:\n  a: {userName: a@x.io, §titel: x, roles: §Agent}\n  §b: {title: y}",
        "unknown-key wrong-type missing-key",
    ),
}

TOGETHER = {
    "key in two documents": (
        "users:\n  a: {userName: a@x.io}\n---\nusers:\n  §A: {userName: b@x.io}",
        "repeated-user",
    ),
    "group in two documents": (
        "groups:\n  g: {displayName: G}\n---\ngroups:\n  §g: {displayName: H}",
        "repeated-group",
    ),
    "template in two documents": (
        "templates:\n  t: {title: x}\n---\ntemplates:\n  §T: {title: y}",
        "repeated-template",
    ),
    "key is another's login": (
        "users:\n  a: {userName: b}\n  §b: {userName: b@x.io}",
        "key-is-a-login",
    ),
    "same userName": ("users:\n  a: {userName: Ann@x.io}\n  b: {§userName: ann@X.io}", "same-person"),
    "same userName in another normal form": (
        "users:\n  a: {userName: zo\u00e9@x.io}\n  b: {§userName: zoe\u0301@x.io}",
        "same-person",
    ),
    "same work e-mail": (
        "users:\n  a: {userName: a@x.io, emails: {work: m@x.io}}\n  b: {userName: b@x.io, emails: {§work: M@x.io}}",
        "same-person",
    ),
    "same employeeNumber": (
        'users:\n  a: {userName: a@x.io, employeeNumber: 007}\n  b: {userName: b@x.io, §employeeNumber: "007"}',
        "same-person",
    ),
    "same group name": ("groups:\n  a: {displayName: G}\n  b: {§displayName: g}", "same-group"),
    "unknown manager": (
        "users:\n  ann: {userName: a@x.io}\n  bob: {userName: b@x.io, manager: §anm}",
        "unknown-manager",
    ),
    "unknown member": ("groups:\n  g: {displayName: G, members: [§nobody]}", "unknown-member"),
    "a group written as a user": (
        "groups:\n  g: {displayName: G, members: [§h]}\n  h: {displayName: H}",
        "unknown-member",
    ),
    "unknown nested group": ("groups:\n  g: {displayName: G, members: [{group: §h}]}", "unknown-group"),
    "unknown group of a user": ("users:\n  a: {userName: a@x.io, groups: [§g]}", "unknown-group"),
    "unknown group of a template": (
        "templates: {t: {groups: [§g]}}\nusers: {a: {userName: a@x.io, from: [t]}, b: {userName: b@x.io, from: [t]}}",
        "unknown-group",
    ),
    "unknown template": ("users:\n  a: {userName: a@x.io, from: [§agent]}", "unknown-template"),
    "unknown template in a rule": (
        "users:\n  a: {userName: a@x.io}\ngroups:\n  g: {displayName: G, memberRule: {template: §agent}}",
        "unknown-template",
    ),
    "live but declared": (
        "users:\n  a: {userName: a@x.io}\ngroups:\n  g: {displayName: G, members: [{live: §A@x.io}]}",
        "live-but-declared",
    ),
    "own manager": ("users:\n  a: {userName: a@x.io, §manager: A@x.io}", "own-manager"),
    "manager cycle": (
        "users:\n  a: {userName: a@x.io, §manager: b}\n  b: {userName: b@x.io, manager: c}\n"
        "  c: {userName: c@x.io, manager: a}",
        "manager-cycle",
    ),
    "group inside itself": ("groups:\n  g: {displayName: G, members: [§{group: g}]}", "group-cycle"),
    "groups inside one another": (
        "groups:\n  g: {displayName: G, members: [§{group: h}]}\n  h: {displayName: H, members: [{group: g}]}",
        "group-cycle",
    ),
    "formerly in use": (
        "users:\n  a: {userName: a@x.io, formerly: [§b]}\n  b: {userName: b@x.io}",
        "formerly-in-use",
    ),
    "formerly her own": ("users:\n  a: {userName: a@x.io, formerly: [§A@x.io]}", "formerly-in-use"),
    "formerly of two": (
        "users:\n  a: {userName: a@x.io, formerly: [old]}\n  b: {userName: b@x.io, formerly: [§old]}",
        "formerly-twice",
    ),
    "formerly of a group in use": (
        "groups:\n  g: {displayName: G, formerly: [§H]}\n  h: {displayName: H}",
        "formerly-in-use",
    ),
    "dates out of order": (
        "users:\n  a: {userName: a@x.io, startsOn: 2026-02-01, §endsOn: 2026-01-31}",
        "dates-out-of-order",
    ),
    "active with dates": ("users:\n  a: {userName: a@x.io, §active: true, endsOn: 2026-01-31}", "active-with-dates"),
    "active with a template's dates": (
        "templates: {t: {endsOn: 2026-01-31}}\nusers:\n  a: {userName: a@x.io, from: [t], §active: false}",
        "active-with-dates",
    ),
    "deleteAfter without an end": ("users:\n  a: {userName: a@x.io, §deleteAfter: 30}", "delete-without-end"),
    "until and no until": (
        "users:\n  a: {userName: a@x.io, groups: [§g]}\n"
        "groups:\n  g: {displayName: G, members: [{user: a, until: 2026-12-31}]}",
        "conflicting-until",
    ),
    "until and a rule": (
        "users:\n  a: {userName: a@x.io, title: x}\n"
        "groups:\n  g:\n    displayName: G\n    members: [{user: a, until: 2026-12-31}]\n    §memberRule: {title: x}",
        "conflicting-until",
    ),
    "member twice": (
        "users:\n  a: {userName: a@x.io}\ngroups:\n  g: {displayName: G, members: [a, §A@x.io]}",
        "repeated-item",
    ),
    "role twice": ("users:\n  a: {userName: a@x.io, roles: [Agent, §Agent]}", "repeated-item"),
    "group of a user twice": (
        "users:\n  a: {userName: a@x.io, groups: [g, §G]}\ngroups:\n  g: {displayName: G}",
        "repeated-item",
    ),
    "released yet declared": ("users:\n  a: {userName: a@x.io}\nreleased: [§A]", "released-but-declared"),
    "released group yet declared": (
        "groups:\n  g: {displayName: G}\nreleased: [§group.g]",
        "released-but-declared",
    ),
    "released twice": ("released: [a, §user.a]", "repeated-item"),
    "unknown target": ("users:\n  a: {userName: a@x.io, targets: [here, §their]}", "unknown-target"),
    "unknown target in overrides": ("users:\n  a: {userName: a@x.io, overrides: {§her: {title: x}}}", "unknown-target"),
    "phone without a country": (
        'users:\n  a: {userName: a@x.io, phoneNumbers: {work: §"020 7946 0958"}}',
        "wrong-phone",
    ),
    "extension where it is not allowed": (
        "users:\n  a: {userName: a@x.io, phoneNumbers: {work: §9001}}",
        "wrong-phone",
    ),
    "e-mail without @": ("users:\n  a: {userName: a@x.io, emails: {work: §a.x.io}}", "wrong-email"),
    "two primary": (
        "users:\n  a:\n    userName: a@x.io\n    emails:\n      work: {value: a@x.io, primary: true}\n"
        "      home: {value: b@x.io, §primary: true}",
        "several-primary",
    ),
    "required value cleared": ("users:\n  a: {userName: a@x.io, overrides: {here: {userName: §null}}}", "wrong-type"),
    "attributes of a known extension": (
        "users:\n  a:\n    userName: a@x.io\n"
        "    urn:ietf:params:scim:schemas:extension:enterprise:2.0:User: {badge: 1, §Department: x}",
        "known-extension",
    ),
    "part of an attribute of a known extension": (
        "users:\n  a:\n    userName: a@x.io\n"
        "    urn:ietf:params:scim:schemas:extension:enterprise:2.0:User: {§manager.displayName: x}",
        "known-extension",
    ),
    "attribute of the core schema under its URN": (
        "users:\n  a:\n    userName: a@x.io\n    urn:ietf:params:scim:schemas:core:2.0:User: {§title: x}",
        "known-extension",
    ),
    "attribute that the core schema has not": (
        "users:\n  a:\n    userName: a@x.io\n    urn:ietf:params:scim:schemas:core:2.0:User: {§badge: 1}",
        "unsupported-attribute",
    ),
    "attribute that the core schema of groups has not": (
        "groups:\n  g:\n    displayName: G\n    urn:ietf:params:scim:schemas:core:2.0:Group: {§badge: 1}",
        "unsupported-attribute",
    ),
    "attribute that the profile has not": (
        "users:\n  a: {userName: a@x.io, §routingSkills: {x: 1}}",
        "unsupported-attribute",
    ),
    "own line and without": (
        "templates: {t: {roles: [A]}}\nusers:\n  a: {userName: a@x.io, from: [t], roles: [A], without: {roles: [§A]}}",
        "contradiction",
    ),
    "without what nobody gives": (
        "templates: {t: {roles: [A]}}\nusers:\n  a: {userName: a@x.io, from: [t], without: {roles: [§B]}}",
        "without-nothing",
    ),
    "rule that fits nobody": (
        "users:\n  a: {userName: a@x.io, title: x}\ngroups:\n  g: {displayName: G, §memberRule: {title: y}}",
        "rule-matches-nobody",
    ),
}

ON_GENESYS = {
    "unsupported attribute": ("users:\n  a: {userName: a@x.io, displayName: A, §nickName: x}", "unsupported-attribute"),
    "unsupported even to clear": (
        "users:\n  a: {userName: a@x.io, displayName: A, §name: null}",
        "unsupported-attribute",
    ),
    "unsupported in a rule": (
        "users: {a: {userName: a@x.io, displayName: A}}\ngroups:\n  g: {displayName: G, memberRule: {§nickName: x}}",
        "unsupported-attribute",
    ),
    "a group that is to be renamed": (
        "groups:\n  §g: {displayName: G, formerly: [Old G]}",
        "groups-cannot-be-renamed",
    ),
    "no displayName": ("users:\n  §a: {userName: a@x.io}", "missing-attribute"),
    "displayName cleared": ("users:\n  a: {userName: a@x.io, §displayName: null}", "missing-attribute"),
    "level as a text": (
        "users:\n  a: {userName: a@x.io, displayName: A, routingSkills: {Billing: §high}}",
        "wrong-type",
    ),
    "level in quotes": (
        'users:\n  a: {userName: a@x.io, displayName: A, routingSkills: {Billing: §"4"}}',
        "wrong-type",
    ),
    "level too high": (
        "users:\n  a: {userName: a@x.io, displayName: A, routingLanguages: {English: §5.5}}",
        "out-of-range",
    ),
    "level below zero": (
        "users:\n  a: {userName: a@x.io, displayName: A, routingLanguages: {English: §-1}}",
        "out-of-range",
    ),
    "skills as a list": (
        "users:\n  a: {userName: a@x.io, displayName: A, routingSkills: §[Billing]}",
        "wrong-type",
    ),
    "too many skills": (
        "users:\n  a:\n    userName: a@x.io\n    displayName: A\n    §routingSkills: {"
        + ", ".join(f"s{number}: 1" for number in range(51))
        + "}",
        "too-many-values",
    ),
    "type that is not there": (
        'users:\n  a: {userName: a@x.io, displayName: A, phoneNumbers: {§mobil: "+447700900123"}}',
        "unknown-type",
    ),
    "element of the server's own": (
        "users:\n  a: {userName: a@x.io, displayName: A, emails: {§other: a@x.io}}",
        "read-only-element",
    ),
    "authority of the server's own": (
        "users:\n  a: {userName: a@x.io, displayName: A, externalIds: {§x-pc:scimv2:v1.5: a}}",
        "read-only-element",
    ),
    "part that is not there": (
        "users:\n  a: {userName: a@x.io, displayName: A, emails: {work: {value: a@x.io, §display: A}}}",
        "unsupported-part",
    ),
    "group in a group": (
        "groups:\n  g: {displayName: G, members: [{group: §h}]}\n  h: {displayName: H}",
        "nested-not-supported",
    ),
    "seven digits are no extension": (
        "users:\n  a: {userName: a@x.io, displayName: A, phoneNumbers: {work: §3174181}}",
        "wrong-phone",
    ),
    "no such day of hire": ("users:\n  a: {userName: a@x.io, displayName: A, dateHire: §2026-02-31}", "no-such-day"),
}


def marked(snippet: str) -> tuple[str, list[tuple[int, int]]]:
    """The snippet without its marks, and their lines and columns."""
    places = []
    while "§" in snippet:
        before, _, after = snippet.partition("§")
        places.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
        snippet = before + after
    return snippet, places


EVERYWHERE = {**SYNTAX, **SHAPE, **TOGETHER}


@pytest.mark.parametrize(("snippet", "codes"), EVERYWHERE.values(), ids=EVERYWHERE)
def test_is_refused_at_its_place(tmp_path: Path, snippet: str, codes: str) -> None:
    _check(tmp_path, snippet, codes, RFC)


@pytest.mark.parametrize(("snippet", "codes"), ON_GENESYS.values(), ids=ON_GENESYS)
def test_is_refused_for_the_profile(tmp_path: Path, snippet: str, codes: str) -> None:
    _check(tmp_path, snippet, codes, GENESYS)


def _check(folder: Path, snippet: str, codes: str, profile: Profile) -> None:
    text, places = marked(snippet)
    expected = codes.split()
    if len(places) < len(expected):
        places = places * len(expected)
    found = problems(folder, text, profile)
    assert sorted((each.code, each.source.line, each.source.column) for each in found) == sorted(
        (code, *place) for code, place in zip(expected, places, strict=True)
    )
    for each in found:
        assert each.source.path == "identities/people.yaml"
        assert each.severity is (Severity.WARNING if each.code in WARNINGS else Severity.ERROR)
        assert "s3cr3t" not in repr(each)

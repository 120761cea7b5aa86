"""What declarations mean: layers, the three states of an attribute, membership, dates, targets."""

from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.declarations import resolve
from reconciler.model import Address, ListMode, LiveReference, Phase, ResourceType, Value
from tests.declarations.declaring import GENESYS, HERE, RFC, TODAY, desired, loaded, members, names, resource

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def values(folder: Path, lines: str, templates: str = "{}") -> dict[str, Value]:
    """The attributes of a user with these lines, without her userName."""
    state = desired(folder, f"templates: {templates}\nusers:\n  ann: {{userName: ann@x.io, {lines}}}\n")
    found = dict(resource(state, "user.ann").attributes)
    del found["userName"]
    return found


# --- layers


def test_of_single_values_the_later_wins(tmp_path: Path) -> None:
    templates = "{one: {title: A, division: B}, two: {title: C}}"
    assert values(tmp_path, "from: [one, two]", templates) == {"title": "C", f"{ENTERPRISE}:division": "B"}
    assert values(tmp_path, "from: [two, one]", templates)["title"] == "A"
    assert values(tmp_path, "title: D, from: [one, two]", templates)["title"] == "D"


def test_maps_merge_key_by_key(tmp_path: Path) -> None:
    templates = (
        "{one: {name: {givenName: A, familyName: B}, emails: {work: {value: a@x.io, primary: true}, home: h@x.io}}}"
    )
    found = values(tmp_path, "from: [one], name: {givenName: C}, emails: {work: c@x.io, other: o@x.io}", templates)
    assert found == {
        "name.givenName": "C",
        "name.familyName": "B",
        'emails[type eq "work"].value': "c@x.io",
        'emails[type eq "work"].primary': True,
        'emails[type eq "home"].value': "h@x.io",
        'emails[type eq "other"].value': "o@x.io",
    }


def test_lists_unite_and_without_takes_single_values_out(tmp_path: Path) -> None:
    text = """
        templates:
          one: {roles: [A, B], groups: [g]}
          two: {roles: [C], groups: [h], without: {roles: [B]}}
        users:
          ann: {userName: ann@x.io, from: [one, two], roles: [D]}
          bob: {userName: bob@x.io, from: [one, two], without: {roles: [A, C], groups: [G]}}
        groups:
          g: {displayName: G}
          h: {displayName: H}
        """
    state = desired(tmp_path, text)
    assert list(names(state, "user.ann", "roles")) == ["A", "C", "D"]
    assert list(names(state, "user.bob", "roles")) == []
    assert members(state, "g") == {"ann"}
    assert members(state, "h") == {"ann", "bob"}


def test_null_in_a_later_layer_clears_what_came_before_it(tmp_path: Path) -> None:
    templates = (
        "{one: {title: A, emails: {work: a@x.io}, name: {givenName: A}}, two: {title: null, emails: null, name: null}}"
    )
    cleared = values(tmp_path, "from: [one, two]", templates)
    assert cleared["title"] is None
    assert cleared["emails"] is None
    assert 'emails[type eq "work"].value' not in cleared
    assert cleared["name.givenName"] is cleared["name.familyName"] is None
    again = values(tmp_path, "from: [one, two], title: B, emails: {home: h@x.io}, name: {familyName: B}", templates)
    assert again == {"title": "B", 'emails[type eq "home"].value': "h@x.io", "name.familyName": "B"}


def test_null_clears_lists_of_earlier_layers_too(tmp_path: Path) -> None:
    text = """
        templates: {one: {roles: [A], groups: [g], routingSkills: {x: 1, y: 2}}}
        users:
          ann: {userName: a@x.io, displayName: A, from: [one], roles: null, groups: [], routingSkills: {x: null, z: 3}}
          bob: {userName: b@x.io, displayName: B, from: [one]}
        groups:
          g: {displayName: G}
        """
    state = desired(tmp_path, text, profile=GENESYS)
    assert names(state, "user.ann", "roles") == {}
    assert names(state, "user.ann", "routingSkills") == {"y": 2, "z": 3}
    assert members(state, "g") == {"bob"}


def test_overrides_replace_an_attribute_whole_and_last(tmp_path: Path) -> None:
    text = """
        templates: {one: {roles: [A], division: B}}
        users:
          ann:
            userName: ann@x.io
            from: [one]
            emails: {work: a@x.io, home: h@x.io}
            groups: [g]
            title: T
            overrides:
              here: {emails: {work: z@x.io}, roles: [Z], groups: [h], division: null}
              there: {title: Elsewhere}
        groups:
          g: {displayName: G}
          h: {displayName: H, overrides: {here: {displayName: H here, membership: additive}}}
        """
    state = desired(tmp_path, text)
    found = resource(state, "user.ann")
    assert {path: value for path, value in found.attributes.items() if path.startswith("emails")} == {
        'emails[type eq "work"].value': "z@x.io"
    }
    assert found.attributes[f"{ENTERPRISE}:division"] is None
    assert found.attributes["title"] == "T"
    assert names(state, "user.ann", "roles") == {"Z": None}
    assert "members" not in resource(state, "group.g").lists
    assert members(state, "h") == {"ann"}
    assert resource(state, "group.h").attributes["displayName"] == "H here"
    assert resource(state, "group.h").lists["members"].mode is ListMode.ADDITIVE


def test_origins_say_where_each_value_was_written_and_in_which_layer(tmp_path: Path) -> None:
    text = """\
        templates:
          one:
            division: B
            roles: [A]
            groups: [g]
        users:
          ann:
            userName: ann@x.io
            from: [one]
            roles: [C]
            overrides: {here: {title: T}}
        groups:
          g: {displayName: G, memberRule: {template: one}, members: [bob]}
        ---
        users: {bob: {userName: bob@x.io, from: [one]}}
        """
    state = desired(tmp_path, text)
    found = resource(state, "user.ann")

    def at(origin) -> tuple[str, int, str]:
        return origin.source.path, origin.source.line, origin.via

    file = "identities/people.yaml"
    assert at(found.origins[f"{ENTERPRISE}:division"]) == (file, 3, "template one")
    assert at(found.origins["userName"]) == (file, 8, "")
    assert at(found.origins["title"]) == (file, 11, "override here")
    assert at(found.origins["roles"]) == (file, 10, "")
    assert [at(each.origin) for each in found.lists["roles"].items.values()] == [
        (file, 4, "template one"),
        (file, 10, ""),
    ]
    group = resource(state, "group.g").lists["members"].items
    assert at(group[Address(ResourceType.USER, "ann")].origin) == (file, 5, "template one")
    assert at(group[Address(ResourceType.USER, "bob")].origin) == (file, 13, "")
    assert (found.source.line, found.source.column) == (7, 3)
    assert set(found.origins) == {"userName", "title", "roles", f"{ENTERPRISE}:division"}


# --- three states


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", {}),
        ("title: x", {"title": "x"}),
        ("title: null", {"title": None}),
        ("title: ~", {"title": None}),
        ("manager: null", {f"{ENTERPRISE}:manager": None}),
        ("emails: null", {"emails": None}),
        ("emails: {}", {"emails": None}),
        ("emails: {home: null}", {'emails[type eq "home"].value': None}),
        ("emails: {home: {}}", {'emails[type eq "home"].value': None}),
        ("emails: {home: h@x.io}", {'emails[type eq "home"].value': "h@x.io"}),
        ("emails: {home: {display: null}}", {'emails[type eq "home"].display': None}),
        ("name: {givenName: null}", {"name.givenName": None}),
        ("addresses: null", {"addresses": None}),
        ("urn:x:y: {a: null}", {"urn:x:y:a": None}),
        # beside what the profile describes, in the profile's spelling of the URN
        (
            f"{ENTERPRISE.replace('User', 'user')}: {{badge: 1, shirt: null}}, department: D",
            {f"{ENTERPRISE}:badge": 1, f"{ENTERPRISE}:shirt": None, f"{ENTERPRISE}:department": "D"},
        ),
    ],
)
def test_absent_cleared_or_wanted(tmp_path: Path, lines: str, expected: dict[str, object]) -> None:
    assert values(tmp_path, lines) == expected


def test_a_cleared_element_without_a_value_part_is_cleared_part_by_part(tmp_path: Path) -> None:
    found = values(tmp_path, "addresses: {work: null}")
    parts = ("formatted", "streetAddress", "locality", "region", "postalCode", "country", "primary")
    assert found == {f'addresses[type eq "work"].{part}': None for part in parts}


@pytest.mark.parametrize("written", ["null", "~", "[]"])
def test_an_empty_list_is_a_line_and_no_line_is_none(tmp_path: Path, written: str) -> None:
    state = desired(tmp_path, f"users:\n  ann: {{userName: ann@x.io, roles: {written}}}\n")
    found = resource(state, "user.ann").lists
    assert set(found) == {"roles"}
    assert (found["roles"].mode, found["roles"].items) == (ListMode.AUTHORITATIVE, {})


@pytest.mark.parametrize("written", ["members: null", "members: []"])
def test_an_emptied_group_has_a_line(tmp_path: Path, written: str) -> None:
    state = desired(tmp_path, f"groups:\n  g: {{displayName: G, {written}}}\n  h: {{displayName: H}}")
    assert members(state, "g") == set()
    assert resource(state, "group.h").lists == {}


# --- values


def test_text_stays_as_written(tmp_path: Path) -> None:
    found = values(tmp_path, "department: no, employeeNumber: 02142, title: 1e3, costCenter: 1:30, locale: 2026-01-02")
    assert list(found.values()) == ["no", "02142", "1e3", "1:30", "2026-01-02"]
    assert {type(each) for each in values(tmp_path, 'title: "142", division: 142').values()} == {str}


def test_values_are_canonical(tmp_path: Path) -> None:
    text = """
        users:
          ann:
            userName: ann@x.io
            displayName: "Zoe\\u0301"
            phoneNumbers: {work: "+44 20 7946 0958 x12", mobile: "+44 (7700) 900-123", other: 9001}
            routingSkills: {"Re\\u0301": 4.0, B: 3.5}
            dateHire: 2026-01-02
            externalIds: {microsoftteams: a}
        """
    state = desired(tmp_path, text, profile=GENESYS)
    found = resource(state, "user.ann").attributes
    extension = "urn:ietf:params:scim:schemas:extension:genesys:purecloud:2.0:User"
    assert found["displayName"] == "Zoé"
    assert found['phoneNumbers[type eq "work"].value'] == "+442079460958;ext=12"
    assert found['phoneNumbers[type eq "mobile"].value'] == "+447700900123"
    assert found['phoneNumbers[type eq "other"].value'] == "9001"
    assert found[f"{ENTERPRISE}:dateHire"] == "2026-01-02"
    assert found[f'{extension}:externalIds[authority eq "microsoftteams"].value'] == "a"
    assert names(state, "user.ann", "routingSkills") == {"Ré": 4, "B": 3.5}


def test_undescribed_extensions_keep_the_types_that_yaml_writes(tmp_path: Path) -> None:
    lines = 'urn:x:y: {a: 5, b: "5", c: 02142, d: true, e: [1, x], f: {g: 4.0, h: null}, i: null}'
    assert values(tmp_path, lines) == {
        "urn:x:y:a": 5,
        "urn:x:y:b": "5",
        "urn:x:y:c": "02142",
        "urn:x:y:d": True,
        "urn:x:y:e": [1, "x"],
        "urn:x:y:f": {"g": 4},
        "urn:x:y:i": None,
    }


def test_a_manager_is_a_key_a_login_or_somebody_live(tmp_path: Path) -> None:
    text = """
        users:
          ann: {userName: ann@x.io, manager: BOB}
          bob: {userName: Bob@x.io, manager: {live: boss@x.io}}
          cem: {userName: cem@x.io, manager: bob@X.io}
        """
    state = desired(tmp_path, text)
    path = f"{ENTERPRISE}:manager"
    assert resource(state, "user.ann").attributes[path] == Address(ResourceType.USER, "bob")
    assert resource(state, "user.cem").attributes[path] == Address(ResourceType.USER, "bob")
    assert resource(state, "user.bob").attributes[path] == LiveReference(ResourceType.USER, "boss@x.io")


# --- membership


def test_both_ways_of_writing_a_membership_are_united(tmp_path: Path) -> None:
    text = """
        users:
          ann: {userName: ann@x.io, groups: [G]}
          bob: {userName: bob@x.io, groups: [g]}
          cem: {userName: cem@x.io, title: Agent}
          dee: {userName: dee@x.io}
        groups:
          g:
            displayName: G
            members: [Bob@x.io, {user: DEE}, {group: h}, {live: break@x.io}]
            memberRule: {title: [Agent, Lead]}
          h: {displayName: H, members: []}
        """
    state = desired(tmp_path, text)
    assert members(state, "g") == {"ann", "bob", "cem", "dee", "group.h", "live user break@x.io"}
    items = resource(state, "group.g").lists["members"].items
    assert items[Address(ResourceType.USER, "cem")].origin.via == "memberRule"
    assert items[Address(ResourceType.USER, "bob")].origin.via == ""


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("{division: EMEA}", {"ann", "bob"}),
        ("{division: EMEA, title: Agent}", {"ann"}),
        ("{title: [Agent, Lead]}", {"ann", "bob", "cem"}),
        ("{template: emea}", {"ann", "bob"}),
        ("{template: [emea, us], title: Agent}", {"ann", "cem"}),
        ("{roles: Admin}", {"bob"}),
        ("{manager: bob}", {"ann"}),
        ("{manager: bob@x.io}", {"ann"}),
        ("{department: 007}", {"cem"}),
    ],
)
def test_member_rules_take_everyone_declared_with_all_of_these(tmp_path: Path, rule: str, expected: set[str]) -> None:
    text = f"""
        templates:
          emea: {{division: EMEA}}
          us: {{division: US}}
        users:
          ann: {{userName: ann@x.io, from: [emea], title: Agent, manager: bob}}
          bob: {{userName: bob@x.io, from: [emea], title: Lead, roles: [Admin]}}
          cem: {{userName: cem@x.io, from: [us], title: Agent, department: 007}}
          dee: {{userName: dee@x.io, from: [us], overrides: {{here: {{division: null}}}}}}
        groups:
          g: {{displayName: G, memberRule: {rule}}}
        """
    assert members(desired(tmp_path, text), "g") == expected


def test_rules_see_what_templates_and_overrides_make_of_a_user(tmp_path: Path) -> None:
    text = """
        templates: {t: {division: EMEA}}
        users:
          ann: {userName: ann@x.io, from: [t], overrides: {here: {division: US}}}
          bob: {userName: bob@x.io, from: [t]}
        groups:
          g: {displayName: G, memberRule: {division: EMEA}}
        """
    assert members(desired(tmp_path, text), "g") == {"bob"}


@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2026, 6, 1), date(2026, 12, 31)])
def test_people_outside_their_dates_stay_members(tmp_path: Path, day: date) -> None:
    text = """
        users:
          ann: {userName: ann@x.io, title: x, startsOn: 2026-02-01, endsOn: 2026-11-30, deleteAfter: 5}
        groups:
          g: {displayName: G, memberRule: {title: x}}
        """
    assert members(desired(tmp_path, text, today=day), "g") == {"ann"}


def test_until_is_the_last_day_and_a_passed_one_is_kept_apart(tmp_path: Path) -> None:
    text = """
        users:
          ann: {userName: ann@x.io}
        groups:
          g: {displayName: G, members: [{user: ann, until: 2026-12-31}]}
        """
    ann = Address(ResourceType.USER, "ann")
    on_the_day = resource(desired(tmp_path, text, today=date(2026, 12, 31)), "group.g").lists["members"]
    assert on_the_day.items[ann].until == date(2026, 12, 31)
    assert on_the_day.expired == {}
    after = resource(desired(tmp_path, text, today=date(2027, 1, 1)), "group.g").lists["members"]
    assert after.items == {}
    assert after.expired == {ann: date(2026, 12, 31)}


def test_modes_come_from_the_line_the_settings_and_the_profile(tmp_path: Path) -> None:
    text = """
        users:
          ann: {userName: ann@x.io, displayName: A, roles: [x], routingSkills: {y: 1}}
        groups:
          g: {displayName: G, members: []}
          h: {displayName: H, members: [], membership: additive}
        """
    plain = desired(tmp_path, text, profile=GENESYS)
    assert resource(plain, "user.ann").lists["roles"].mode is ListMode.ADDITIVE
    assert resource(plain, "user.ann").lists["routingSkills"].mode is ListMode.AUTHORITATIVE
    assert resource(plain, "group.g").lists["members"].mode is ListMode.AUTHORITATIVE
    assert resource(plain, "group.h").lists["members"].mode is ListMode.ADDITIVE
    modes = {"roles": ListMode.AUTHORITATIVE, "routingSkills": ListMode.ADDITIVE}
    by_settings = desired(tmp_path, text, profile=GENESYS, target=replace(HERE, modes=modes))
    assert resource(by_settings, "user.ann").lists["roles"].mode is ListMode.AUTHORITATIVE
    assert resource(by_settings, "user.ann").lists["routingSkills"].mode is ListMode.ADDITIVE


def test_groups_take_extensions_and_clear_attributes_too(tmp_path: Path) -> None:
    text = """
        groups:
          g: {displayName: G, externalId: null, "urn:x:y": {a: 5}, overrides: {here: {"urn:x:y": {b: true}}}}
        """
    found = resource(desired(tmp_path, text), "group.g")
    assert found.attributes == {"displayName": "G", "externalId": None, "urn:x:y:b": True}
    assert found.lists == {}


# --- dates


@pytest.mark.parametrize(
    ("lines", "today", "phase"),
    [
        ("", "2026-01-01", Phase.UNDATED),
        ("active: false", "2026-01-01", Phase.UNDATED),
        ("startsOn: 2026-02-01", "2026-01-31", Phase.BEFORE),
        ("startsOn: 2026-02-01", "2026-02-01", Phase.WITHIN),
        ("endsOn: 2026-02-01", "2026-02-01", Phase.WITHIN),
        ("endsOn: 2026-02-01", "2026-02-02", Phase.AFTER),
        ("endsOn: 2026-02-01, deleteAfter: 30", "2026-03-03", Phase.AFTER),
        ("endsOn: 2026-02-01, deleteAfter: 30", "2026-03-04", Phase.DELETION),
        ("endsOn: 9999-12-31, deleteAfter: 36500", "2026-03-04", Phase.WITHIN),
    ],
)
def test_phases(tmp_path: Path, lines: str, today: str, phase: Phase) -> None:
    state = desired(tmp_path, f"users:\n  ann: {{userName: ann@x.io, {lines}}}\n", today=date.fromisoformat(today))
    assert resource(state, "user.ann").lifecycle.phase is phase


def test_lifecycle_lines_and_nothing_of_them_among_the_attributes(tmp_path: Path) -> None:
    text = """
        users:
          ann: {userName: ann@x.io, active: false}
          bob: {userName: bob@x.io, startsOn: 2026-01-01, endsOn: 2026-12-31, deleteAfter: 30}
        """
    state = desired(tmp_path, text)
    ann, bob = resource(state, "user.ann"), resource(state, "user.bob")
    assert ann.lifecycle.active is False
    assert set(ann.attributes) == {"userName"}
    assert ann.origins["active"].source.line == 3
    life = bob.lifecycle
    assert (life.starts_on, life.ends_on, life.delete_after) == (date(2026, 1, 1), date(2026, 12, 31), 30)
    assert set(bob.attributes) == {"userName"}


def test_null_takes_a_templates_date_out(tmp_path: Path) -> None:
    text = """
        templates: {t: {endsOn: 2026-01-31, active: null}}
        users:
          ann: {userName: ann@x.io, from: [t], endsOn: null, active: true}
        """
    life = resource(desired(tmp_path, text), "user.ann").lifecycle
    assert (life.active, life.ends_on, life.phase) == (True, None, Phase.UNDATED)


def test_days_are_those_of_the_users_own_zone_where_she_has_one(tmp_path: Path) -> None:
    text = """
        users:
          ann: {userName: ann@x.io, startsOn: 2026-11-26, timeZone: Pacific/Auckland}
          bob: {userName: bob@x.io, startsOn: 2026-11-26}
        """
    asked = []

    def today_in(zone: str) -> date:
        asked.append(zone)
        return date(2026, 11, 26)

    state = desired(tmp_path, text, today_in=today_in)
    assert asked == ["Pacific/Auckland"]
    assert resource(state, "user.ann").lifecycle.phase is Phase.WITHIN
    assert resource(state, "user.bob").lifecycle.phase is Phase.BEFORE
    assert resource(desired(tmp_path, text), "user.ann").lifecycle.phase is Phase.BEFORE


# --- targets, released, formerly


def test_targets_narrow_and_references_to_others_are_left_out_and_counted(tmp_path: Path) -> None:
    text = """
        users:
          ann: {userName: ann@x.io, targets: [there]}
          bob: {userName: bob@x.io, manager: ann, groups: [h]}
        groups:
          g: {displayName: G, members: [ann, bob]}
          h: {displayName: H, targets: [there]}
        """
    state = desired(tmp_path, text)
    assert {str(each) for each in state.resources} == {"user.bob", "group.g"}
    assert members(state, "g") == {"bob"}
    assert f"{ENTERPRISE}:manager" not in resource(state, "user.bob").attributes
    assert sorted((each.code, each.summary) for each in state.diagnostics) == [
        ("not-for-target", 'left out, as not for target "here": ann'),
        ("not-for-target", 'left out, as not for target "here": ann, group h'),
    ]


def test_released_and_formerly(tmp_path: Path) -> None:
    text = """
        users:
          ann: {userName: ann@x.io, formerly: [a.old@x.io, a]}
        released: [zoe.k, group.old-team, user.group.x]
        """
    state = desired(tmp_path, text)
    assert {str(each) for each in state.released} == {"user.zoe.k", "group.old-team", "user.group.x"}
    assert resource(state, "user.ann").formerly == ("a.old@x.io", "a")
    assert (state.today, state.files) == (TODAY, 1)


def test_resolving_is_pure(tmp_path: Path) -> None:
    text = """
        templates: {t: {roles: [A], emails: {work: {primary: true}}}}
        users:
          ann: {userName: ann@x.io, from: [t], emails: {work: a@x.io}}
        groups: {g: {displayName: G, memberRule: {template: t}}}
        """
    declarations = loaded(tmp_path, text)
    assert resolve(declarations, HERE, RFC, TODAY) == resolve(declarations, HERE, RFC, TODAY)

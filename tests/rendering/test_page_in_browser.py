"""The page of a plan in a real Chromium: it is opened from a file, searched, filtered, grouped, and sends nothing.

Needs chromium, chromedriver and selenium; without them these tests are skipped, unless REQUIRE_SERVERS=1.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.model import Plan
from reconciler.rendering.html import render_html
from reconciler.rendering.view import stamp, view
from tests.rendering import rendered_plans as plans
from tests.rendering.hostile_plans import HOSTILE, hostile_plan
from tests.rendering.twelve_plans import CAUSES, DRIFT_ONLY, NEWCOMERS, PLANS, PRIVILEGED, STOPPED, big

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,1000",
)
MANY = 3_000
QUICK = 0.3
"""Seconds that a search may take."""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    missing = [name for name, found in (("chromium", CHROMIUM), ("chromedriver", DRIVER)) if not found]
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        missing.append("selenium")
    if missing:
        reason = f"there is no {' and no '.join(missing)} here"
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield running
    running.quit()


class Opened:
    """A page in the browser, and what a reader can do there and see."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        driver.get("about:blank")
        driver.get_log("browser")
        driver.get_log("performance")
        driver.get(url)

    def js(self, script: str, *arguments: object) -> Any:
        return self.driver.execute_script(script, *arguments)

    def search(self, text: str) -> None:
        self.js(
            "const box = document.getElementById('search'); box.value = arguments[0];"
            "box.dispatchEvent(new Event('input', {bubbles: true}));",
            text,
        )

    def tick(self, *values: str) -> None:
        for value in values:
            self.js("document.querySelector(`#tools input[value=${arguments[0]}]`).click()", value)

    def group(self, by: str) -> None:
        self.js(
            "const box = document.getElementById('grouping'); box.value = arguments[0];"
            "box.dispatchEvent(new Event('change', {bubbles: true}));",
            by,
        )

    @property
    def seen(self) -> list[str]:
        """Everybody who is shown, by key."""
        found = self.js(
            "return [...document.querySelectorAll('.card h3 code.who, .people code')]"
            ".filter((each) => each.checkVisibility()).map((each) => each.textContent)"
        )
        return [each.removeprefix("user.").removeprefix("group.") for each in found]

    @property
    def sections(self) -> dict[str, int]:
        found = self.js(
            "return [...document.querySelectorAll('#changes .level')].filter((each) => each.checkVisibility())"
            ".map((each) => [each.querySelector('h2').firstChild.textContent.trim(),"
            " each.querySelector('h2 .count').textContent])"
        )
        return {title: int(count.replace(",", "")) for title, count in found}

    @property
    def status(self) -> str:
        return self.js("return document.getElementById('status').textContent")

    @property
    def complaints(self) -> list[str]:
        return [each["message"] for each in self.driver.get_log("browser")]

    @property
    def requested(self) -> list[str]:
        events = [json.loads(each["message"])["message"] for each in self.driver.get_log("performance")]
        return [each["params"]["request"]["url"] for each in events if each["method"] == "Network.requestWillBeSent"]


@pytest.fixture
def opened(driver: Any, tmp_path: Path) -> Iterator[Callable[[Plan], Opened]]:
    def open_plan(plan: Plan) -> Opened:
        file = tmp_path / "plan.html"
        file.write_text(render_html(view(plan, verbose=True), stamp(plan)), encoding="utf-8")
        return Opened(driver, file.as_uri())

    yield open_plan
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("name", PLANS)
def test_it_opens_from_a_file_and_asks_for_nothing(name: str, opened: Callable[[Plan], Opened]) -> None:
    page = opened(PLANS[name])
    assert page.complaints == []
    assert {url for url in page.requested if not url.startswith("data:")} == {page.driver.current_url}
    assert len(page.seen) == len(PLANS[name].changes) + len(PLANS[name].drift)


# --- searching and filtering


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("alice", ["support-emea", "alice.ng"]),
        ("  ALICE  ng@ ", ["alice.ng"]),
        ("agent.017", ["agent.017"]),
        ("quality agent.01", [f"agent.{number:03}" for number in range(10, 20)]),
        ("carl mora", ["support-emea"]),
        ("removed from", ["zed.k"]),
        ("nobody at all", []),
    ],
)
def test_a_search_shows_who_fits(text: str, seen: list[str], opened: Callable[[Plan], Opened]) -> None:
    page = opened(plans.SAMPLE)
    page.search(text)
    assert page.seen == seen
    assert page.status.startswith(f"{len(seen)} of 290 changes")
    assert page.js("return document.getElementById('nothing').hidden") is bool(seen)
    page.search("")
    assert page.status == "All 290 changes · 1 by other hands"


def test_a_search_minds_neither_case_nor_accents(opened: Callable[[Plan], Opened]) -> None:
    page = opened(replace(plans.WIDE, changes=plans.WIDE.changes[:2]))
    page.search("DOI truong ca dem")
    assert page.seen == ["李"]
    page.search("Zoe")
    assert page.seen == ["夜班"]


def test_a_folded_block_says_how_many_of_it_fit(opened: Callable[[Plan], Opened]) -> None:
    page = opened(plans.SAMPLE)
    page.search("agent.01")
    assert page.js("return document.querySelector('.card:not([hidden]) .tally').textContent") == "10 of 287"
    assert page.sections == {"Everything else": 10}


@pytest.mark.parametrize(
    ("plan", "ticked", "seen"),
    [
        (PRIVILEGED, ["reactivate"], ["eva.p"]),
        (PRIVILEGED, ["reactivate", "update"], ["dan.o", "eva.p", "fay.q", "gus.r"]),
        (CAUSES, ["group"], ["rota"]),
        (CAUSES, ["leftover"], ["rota", "tom.k"]),
        (CAUSES, ["leftover", "user"], ["tom.k"]),
        (CAUSES, ["drift", "declared"], ["put.right", "una.v"]),
        (plans.SAMPLE, ["drift"], ["bob.li"]),
    ],
)
def test_filters(plan: Plan, ticked: list[str], seen: list[str], opened: Callable[[Plan], Opened]) -> None:
    page = opened(plan)
    everybody = page.seen
    page.tick(*ticked)
    assert page.seen == seen
    page.js("document.getElementById('clear').click()")
    assert page.seen == everybody


# --- grouping


def test_grouping_by_risk_department_file_and_cause(opened: Callable[[Plan], Opened]) -> None:
    page = opened(big(60))
    assert list(page.sections) == ["Deactivated", "Everything else"]
    everybody = sorted(page.seen)
    page.group("department")
    assert list(page.sections) == ["Billing", "Bookings", "Chat", "No department in this plan"]
    assert sum(page.sections.values()) == 60
    assert sorted(page.seen) == everybody
    page.group("file")
    assert list(page.sections)[-1] == "In no file any more"
    assert page.sections["identities/leeds/a.yaml"] == sum(
        1 for each in big(60).changes if each.source and each.source.path == "identities/leeds/a.yaml"
    )
    assert sorted(page.seen) == everybody
    page.search("agent.0005")
    assert page.seen == ["agent.0005"]
    page.search("")
    page.group("risk")
    assert sorted(page.seen) == everybody
    page = opened(CAUSES)
    page.group("cause")
    assert page.sections == {"Declared": 1, "Announced before": 1, "Due by date": 1, "Other hands": 1}


def test_drift_stays_apart_however_the_rest_is_grouped(opened: Callable[[Plan], Opened]) -> None:
    page = opened(plans.SAMPLE)
    for by in ("risk", "file", "department", "cause"):
        page.group(by)
        assert page.js("return document.querySelectorAll('#drift .card').length") == 1
        assert page.js("return document.querySelectorAll('#changes [data-causes=drift]').length") == 0


def test_a_group_shows_who_comes_and_who_goes(opened: Callable[[Plan], Opened]) -> None:
    page = opened(PLANS["memberships"])
    sides = page.js(
        "return [...document.querySelectorAll('.card .side')].slice(0, 2)"
        ".map((each) => [each.querySelector('.side-title').textContent, each.querySelectorAll('li').length])"
    )
    assert sides == [["Go 3", 3], ["Come 12", 12]]


# --- many


def test_three_thousand_changes_stay_quick(opened: Callable[[Plan], Opened]) -> None:
    unlike = tuple(replace(each, reason=f"no. {number}") for number, each in enumerate(big(MANY).changes))
    page = opened(replace(big(MANY), changes=unlike))
    assert page.status.startswith("All 3,000 changes")
    assert page.js("return document.querySelectorAll('#changes .card').length") == MANY
    seconds = page.js(
        """
        const box = document.getElementById("search");
        return ["a", "ag", "agent.1", "adviser 2991", "", "billing", ""].map((text) => {
          const began = performance.now();
          box.value = text;
          box.dispatchEvent(new Event("input", {bubbles: true}));
          document.body.getBoundingClientRect();
          return (performance.now() - began) / 1000;
        });
        """
    )
    assert max(seconds) < QUICK, seconds
    page.search("agent.2991")
    assert page.seen == ["agent.2991"]
    assert page.complaints == []


# --- harm


def test_hostile_names_stay_text(opened: Callable[[Plan], Opened]) -> None:
    changes = tuple(
        replace(change, address=replace(change.address, key=f"{number}.{change.address.key}"))
        for number, bad in enumerate(HOSTILE)
        for change in hostile_plan(bad).changes[:2]
    )
    page = opened(replace(hostile_plan("<b>x</b>"), changes=changes))
    assert page.complaints == []
    assert {url for url in page.requested if not url.startswith("data:")} == {page.driver.current_url}
    assert page.js("return document.querySelectorAll('main b, main img, main script, main h1 *').length") == page.js(
        "return document.querySelectorAll('.tiles b, .panel p > b').length"
    )
    for by in ("file", "department", "cause", "risk"):
        if page.js("return Boolean(document.querySelector(`#grouping option[value=${arguments[0]}]`))", by):
            page.group(by)
    page.search("<img src=x onerror=alert(1)>")
    assert page.seen
    assert page.complaints == []


def test_the_policy_stops_what_should_still_get_in(opened: Callable[[Plan], Opened]) -> None:
    page = opened(plans.SAMPLE)
    found = page.js(
        """
        window.harmed = [];
        const script = document.createElement("script");
        const tries = [
          () => { script.textContent = "harmed.push(1)"; document.body.append(script); },
          () => { document.body.innerHTML += "<b>x</b>"; },
          () => { document.body.setAttribute("onclick", "harmed.push(2)"); document.body.click(); },
        ];
        for (const each of tries) {
          try { each(); } catch (refused) { if (!(refused instanceof TypeError)) throw refused; }
        }
        return window.harmed;
        """
    )
    assert found == []
    page.js("window.gone = 'waiting'; fetch('https://evil.invalid/').catch(() => { window.gone = 'refused'; })")
    page.driver.set_script_timeout(5)
    page.driver.execute_async_script("const done = arguments[0]; setTimeout(done, 300)")
    assert page.js("return window.gone") == "refused"
    assert any("Content Security Policy" in each for each in page.complaints)


# --- everybody can use it


def test_the_keyboard_is_enough(opened: Callable[[Plan], Opened]) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    page = opened(plans.SAMPLE)
    body = page.driver.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert page.js("return document.activeElement.className") == "skip"
    body.send_keys("/")
    assert page.js("return document.activeElement.id") == "search"
    page.driver.switch_to.active_element.send_keys("zed" + Keys.ENTER)
    assert page.seen == ["zed.k"]
    reached = []
    for _ in range(14):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        reached.append(page.js("return document.activeElement.tagName + '.' + (document.activeElement.name || '')"))
    assert {"SELECT.", "BUTTON.", "INPUT.actions", "INPUT.type", "INPUT.causes", "SUMMARY."} <= set(reached)
    summary = page.driver.find_element(By.CSS_SELECTOR, ".card:not([hidden]) summary")
    summary.send_keys(Keys.ENTER)
    assert page.js("return document.querySelector('.card:not([hidden])').open") is False


def test_a_screen_reader_finds_names_for_everything(opened: Callable[[Plan], Opened]) -> None:
    page = opened(STOPPED)
    landmarks = {"main", "search", "status", "contentinfo", "RootWebArea"}
    roles: dict[str, list[str]] = {}
    deadline = time.monotonic() + 20
    # the browser works the tree out by and by
    while not landmarks <= set(roles) and time.monotonic() < deadline:
        roles = {}
        for node in page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]:
            if not node.get("ignored"):
                roles.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    for role in ("searchbox", "combobox", "checkbox", "button", "heading", "link", "DisclosureTriangle"):
        assert all(roles.get(role, [])), role
    assert landmarks <= set(roles)
    assert "Search" in roles["searchbox"]


CONTRAST = """
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const colour = numbers(getComputedStyle(each).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!own || !element.checkVisibility() || ["OPTION", "SCRIPT", "STYLE"].includes(element.tagName)) continue;
  const [one, other] = [light(numbers(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
  const ratio = (one + 0.05) / (other + 0.05);
  if (ratio < 4.5) poor.push([element.className || element.tagName, element.textContent.slice(0, 30), ratio]);
}
return poor;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_by_day_and_by_night(scheme: str, opened: Callable[[Plan], Opened]) -> None:
    page = opened(PLANS["edges"])
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    page.tick("update")
    paper = page.js("return getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(246, 246, 243)") is (scheme == "light")
    assert page.js(CONTRAST) == []


@pytest.mark.parametrize("name", ["edges", "wide", "memberships", "stopped"])
@pytest.mark.parametrize("width", [320, 420, 800])
def test_nothing_leaves_a_narrow_screen(name: str, width: int, opened: Callable[[Plan], Opened]) -> None:
    page = opened(PLANS[name])
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    )
    assert page.js("return document.documentElement.scrollWidth") <= width


def test_on_paper_everything_is_unfolded_and_the_tools_are_gone(opened: Callable[[Plan], Opened]) -> None:
    page = opened(plans.SAMPLE)
    page.js("document.getElementById('fold').click()")
    assert page.js("return document.querySelectorAll('.card[open]').length") == 0
    assert len(page.driver.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 10_000
    assert page.js("return document.querySelectorAll('.card:not([open])').length") == 0
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert page.js("return document.getElementById('tools').checkVisibility()") is False


def test_it_reads_without_a_script(driver: Any, opened: Callable[[Plan], Opened]) -> None:
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    page = opened(DRIFT_ONLY)
    assert page.js("return document.getElementById('tools').checkVisibility()") is False
    page = opened(NEWCOMERS)
    assert page.js("return document.getElementById('tools').checkVisibility()") is False
    assert page.seen == ["alice.ng", "li.wei", "night"]

// Shows, hides and regroups what stands in the page already; no text becomes markup here.

const NOWHERE = { file: "In no file any more", department: "No department in this plan" };

const byId = (id) => document.getElementById(id);
// Letters that are no letter with a mark, as people type them who do not have them.
const PLAIN = {
  "\u00df": "ss", "\u00e6": "ae", "\u00f0": "d", "\u00f8": "o", "\u00fe": "th", "\u0111": "d", "\u0131": "i",
  "\u0142": "l", "\u0153": "oe",
};
const UNPLAIN = new RegExp(`[${Object.keys(PLAIN).join("")}]`, "g");
const fold = (text) =>
  text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(UNPLAIN, (letter) => PLAIN[letter]);
const number = new Intl.NumberFormat("en");

const tools = byId("tools");
if (tools) start();

function start() {
  const changes = byId("changes");
  const search = byId("search");
  const grouping = byId("grouping");
  const sections = [...changes.children];
  const risks = sections.flatMap((section) => cardsOf(section).map((card) => [card, titleOf(section)]));
  const byRisk = new Map(risks);
  const originals = risks.map(([card]) => card);
  const nothing = document.createElement("p");
  nothing.id = "nothing";
  nothing.textContent = "No change matches.";
  changes.after(nothing);
  let shown = [];

  function regroup() {
    const groups = new Map();
    for (const card of originals) {
      for (const [title, part] of parts(card, grouping.value, byRisk)) {
        if (!groups.has(title)) groups.set(title, []);
        groups.get(title).push(part);
      }
    }
    const titles = [...groups.keys()];
    if (grouping.value !== "risk") titles.sort(lastOnesLast);
    changes.replaceChildren(...titles.map((title) => section(title, groups.get(title))));
    shown = [...document.querySelectorAll("details.card")].map(entry);
    filter();
  }

  function filter() {
    const terms = fold(search.value).split(/\s+/).filter(Boolean);
    const wanted = ["actions", "type", "causes"].map((name) => [name, chosen(name)]);
    const planned = { seen: 0, total: 0 };
    const drifted = { seen: 0, total: 0 };
    for (const each of shown) {
      const fits = wanted.every(([name, values]) => !values.size || each[name].some((value) => values.has(value)));
      const counted = each.drifted ? drifted : planned;
      counted.seen += narrow(each, fits ? missing(each.common, terms) : null);
      counted.total += each.size;
    }
    for (const each of document.querySelectorAll(".level")) recount(each);
    nothing.hidden = planned.seen + drifted.seen > 0;
    const counts = [told(planned, "change", "changes"), told(drifted, "by other hands", "by other hands")];
    byId("status").textContent = counts.filter(Boolean).join(" \u00b7 ");
  }

  function unfold(open) {
    for (const each of shown) each.card.open = open;
  }

  function clear() {
    tools.reset();
    regroup();
    search.focus();
  }

  tools.hidden = false;
  tools.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", filter);
  for (const box of tools.querySelectorAll("input[type=checkbox]")) box.addEventListener("change", filter);
  grouping.addEventListener("change", regroup);
  byId("unfold").addEventListener("click", () => unfold(true));
  byId("fold").addEventListener("click", () => unfold(false));
  byId("clear").addEventListener("click", clear);
  addEventListener("beforeprint", () => unfold(true));
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.matches("input, select")) {
      event.preventDefault();
      search.focus();
    }
  });
  regroup();
}

function told({ seen, total }, one, many) {
  if (!total) return "";
  if (seen < total) return `${number.format(seen)} of ${number.format(total)} ${many}`;
  return total === 1 ? `1 ${one}` : `All ${number.format(total)} ${many}`;
}

// --- grouping

function parts(card, by, byRisk) {
  if (by === "risk") return [[byRisk.get(card), card]];
  if (by === "cause") return [[titleOfCause(card.dataset.causes.split(" ")[0]), card]];
  const people = peopleOf(card);
  if (!people.length) return [[card.dataset[by] || NOWHERE[by], card]];
  const titles = [...new Set(people.map((person) => person.dataset[by] || NOWHERE[by]))];
  if (titles.length === 1) return [[titles[0], card]];
  return titles.map((title) => [title, partOf(card, (person) => (person.dataset[by] || NOWHERE[by]) === title)]);
}

function partOf(card, keep) {
  const part = card.cloneNode(true);
  for (const person of peopleOf(part)) if (!keep(person)) person.remove();
  return part;
}

function titleOfCause(cause) {
  const box = tools.querySelector(`input[name=causes][value=${cause}]`);
  return box ? box.parentElement.querySelector(".word").textContent : cause;
}

function lastOnesLast(one, other) {
  const last = Object.values(NOWHERE);
  return last.includes(one) - last.includes(other) || one.localeCompare(other);
}

function section(title, cards) {
  const made = document.createElement("section");
  const heading = document.createElement("h2");
  const count = document.createElement("span");
  made.className = "level";
  count.className = "count";
  heading.append(title, " ", count);
  made.append(heading, ...cards);
  return made;
}

// --- filtering

function entry(card) {
  const people = peopleOf(card).map((element) => ({ element, text: fold(element.textContent) }));
  const list = card.querySelector(".people");
  const whole = fold(card.textContent);
  return {
    card,
    people,
    size: people.length || 1,
    drifted: card.closest("#drift") !== null,
    common: list ? whole.replace(fold(list.textContent), " ") : whole,
    tally: card.querySelector(".tally"),
    type: [card.dataset.type],
    actions: card.dataset.actions.split(" "),
    causes: card.dataset.causes.split(" "),
  };
}

// The words that a card itself does not hold; some of the people in it may.
function missing(text, terms) {
  return terms.filter((term) => !text.includes(term));
}

// Shows of a card what fits, and says how many changes that is.
function narrow(each, terms) {
  let count = 0;
  for (const { element, text } of each.people) {
    const fits = terms !== null && missing(text, terms).length === 0;
    if (element.hidden === fits) element.hidden = !fits;
    count += fits;
  }
  if (!each.people.length) count = terms !== null && terms.length === 0 ? 1 : 0;
  if (each.tally) {
    const all = number.format(each.size);
    each.tally.textContent = count === each.size || !count ? all : `${number.format(count)} of ${all}`;
  }
  if (each.card.hidden !== !count) each.card.hidden = !count;
  each.card.dataset.shown = count;
  return count;
}

function recount(level) {
  const count = cardsOf(level).reduce((sum, card) => sum + Number(card.dataset.shown), 0);
  level.querySelector("h2 .count").textContent = number.format(count);
  level.hidden = !count;
}

function chosen(name) {
  return new Set([...tools.querySelectorAll(`input[name=${name}]:checked`)].map((box) => box.value));
}

function cardsOf(level) {
  return [...level.querySelectorAll(":scope > details.card")];
}

function peopleOf(card) {
  return [...card.querySelectorAll(".people > li")];
}

function titleOf(level) {
  return level.querySelector("h2").firstChild.textContent.trim();
}

// The page's behaviour: tables that sort, marks that tell their names, and the
// explorer of models and concepts. The page reads without it.
"use strict";

const byId = (id) => document.getElementById(id);

/** Make an element: its attributes, then children (text or elements). */
function make(tag, attributes, ...children) {
  const svg = ["svg", "path", "circle", "line", "text"].includes(tag);
  const made = svg
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

// Tables ---------------------------------------------------------------------------

/** Order by number where both cells carry one, else by text; the empty ones last. */
function compare(a, b) {
  const numeric = a.dataset.v !== undefined || b.dataset.v !== undefined;
  if (!numeric) return a.textContent.localeCompare(b.textContent, "en", { numeric: true });
  const [x, y] = [a, b].map((cell) => parseFloat(cell.dataset.v));
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || 0;
  return x - y;
}

function sortBy(table, place, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
    const missing = (row) => row.cells[place].dataset.v === "nan";
    rows.sort((a, b) => {
      if (missing(a) !== missing(b)) return missing(a) - missing(b);
      const order = compare(a.cells[place], b.cells[place]);
      return down ? -order : order;
    });
    body.append(...rows);
  }
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = make("button", { type: "button" }, ...head.childNodes);
    button.addEventListener("click", () => sortBy(table, place, head));
    head.append(button);
  });
}

// Figures: names of marks, by pointer, touch or arrow keys ---------------------------

function showTip(mark) {
  const box = mark.getBoundingClientRect();
  const tip = byId("tip");
  tip.textContent = mark.querySelector("title").textContent;
  tip.hidden = false;
  const left = box.left + box.width / 2 - tip.offsetWidth / 2;
  const most = document.documentElement.clientWidth - tip.offsetWidth - 4;
  const above = box.top - tip.offsetHeight - 6;
  tip.style.left = `${Math.max(4, Math.min(left, most))}px`;
  tip.style.top = `${above < 4 ? box.bottom + 6 : above}px`;
}

const hideTip = () => { byId("tip").hidden = true; };

/** A mark that has the focus keeps its name beside it while the page moves. */
function followTip() {
  const mark = document.activeElement.closest(".tip");
  if (mark) showTip(mark);
  else hideTip();
}

/** One mark of a figure takes the Tab key; arrow keys lead to the others. */
function nameMarks(figure) {
  const marks = [...figure.querySelectorAll(".tip")];
  marks.forEach((mark, place) => {
    mark.setAttribute("tabindex", place === 0 ? "0" : "-1");
    mark.setAttribute("role", "img");
    mark.setAttribute("aria-label", mark.querySelector("title").textContent);
    mark.addEventListener("focus", () => showTip(mark));
    mark.addEventListener("pointerenter", () => showTip(mark));
    for (const end of ["blur", "pointerleave"]) mark.addEventListener(end, hideTip);
    mark.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (event.key === "Escape") hideTip();
      if (!step) return;
      event.preventDefault();
      mark.setAttribute("tabindex", "-1");
      const next = marks[(place + step + marks.length) % marks.length];
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });
  if (marks.length) figure.querySelector("svg").setAttribute("role", "group");
}

// Explorer: a page for each model, and for each concept in it -------------------------

const data = JSON.parse(byId("explorer-data").textContent);
const YES = "\u2713", NO = "\u2717";
const best = () => data.models.find((m) => m.name === byId("explorer").dataset.first);

/** The model and concept that the address names; a concept alone means the best model. */
function route() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const id = hash.get("concept");
  const named = data.models.find((m) => m.name === hash.get("model"));
  return {
    asked: hash.has("model") || hash.has("concept"),
    unknown: hash.has("model") && !named ? hash.get("model") : "",
    model: named || best(),
    concept: data.concepts.findIndex((c) => c[0] === id || c[1] === id),
  };
}

const address = (model, concept) =>
  `#model=${encodeURIComponent(model.name)}` +
  (concept >= 0 ? `&concept=${encodeURIComponent(data.concepts[concept][0])}` : "");

const link = (model, concept, text) => make("a", { href: address(model, concept) }, text);

/** Places of a concept's questions. */
const asked = (concept) =>
  data.questions.flatMap((question, place) => (question[0] === concept ? [place] : []));

/** Questions answered right: before masking, under both top masks, and random ones. */
function score(model, concept) {
  const places = asked(concept);
  const right = (answers) =>
    places.filter((p) => parseInt(answers[p], 36) === data.questions[p][3]).length;
  const draws = places.map((p) => parseInt(model.random[p], 36) || 0);
  return {
    n: places.length,
    before: right(model.before),
    top: right(model.top),
    swap: right(model.swap),
    random: model.draws ? draws.reduce((a, b) => a + b, 0) / model.draws : NaN,
  };
}

/** A table that scrolls in its own box and sorts. */
function tableOf(caption, heads, rows) {
  const right = (place) => rows.length && rows[0][place].value !== undefined;
  const headOf = (text, place) =>
    make("th", { scope: "col", ...(right(place) ? { class: "n" } : {}) }, text);
  const table = make(
    "table", {},
    make("caption", {}, make("span", {}, caption)),
    make("thead", {}, make("tr", {}, ...heads.map(headOf))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cellOf)))),
  );
  makeSortable(table);
  const attributes = { class: "scroll", tabindex: "0", role: "region", "aria-label": caption };
  return make("div", attributes, table);
}

/** A number as a cell shows and sorts it. */
const count = (value) => ({ value, text: String(value) });
const number = (value, decimals = 1) => ({
  value,
  text: Number.isNaN(value) ? "n/a" : value.toFixed(decimals).replace("-", "\u2212"),
});

function cellOf(cell, place) {
  const tag = place === 0 ? "th" : "td";
  const attributes = place === 0 ? { scope: "row" } : {};
  if (cell.value === undefined) return make(tag, attributes, cell);
  return make(tag, { ...attributes, class: "n", "data-v": cell.value }, cell.text);
}

const facts = (pairs) =>
  make("dl", { class: "pairs" },
    ...pairs.map(([name, value]) =>
      make("div", {}, make("dt", {}, name), make("dd", {}, value))));

function modelPage(model) {
  const rows = data.concepts.map((concept, place) => {
    const found = score(model, place);
    const counts = [found.before, found.top, found.swap].map(count);
    return [link(model, place, concept[1]), concept[2], ...counts, number(found.random),
      count(found.before - found.top)];
  });
  rows.sort((a, b) => b[6].value - a[6].value);
  return [
    make("h3", {}, `Model ${model.name}`),
    facts(model.facts),
    curveOf(model),
    tableOf("Questions answered right, of each concept's own, before masking and under "
      + "the mask of its own top vectors, another concept's, and random ones (mean "
      + "over draws); most lost first.",
    ["concept", "category", "before", "own mask", "another's", "random", "lost"], rows),
  ];
}

function conceptPage(model, place) {
  const concept = data.concepts[place];
  const found = score(model, place);
  const exposure = concept[4] ? `${concept[4]} of each fact` : "none";
  return [
    make("h3", {}, `${concept[1]} in `, link(model, -1, model.name)),
    facts([["category", concept[2]], ["tier of the name", concept[3]],
      ["met in training", exposure], ["right before masking", `${found.before} of ${found.n}`],
      ["under its own mask", `${found.top}`], ["under another's", `${found.swap}`],
      ["under random masks", number(found.random).text]]),
    questionTable(model, place),
    vectorTable(model, place),
    modelTable(place),
  ];
}

function questionTable(model, concept) {
  const answer = (answers, p) => {
    const [, , options, gold] = data.questions[p];
    const chosen = parseInt(answers[p], 36);
    if (Number.isNaN(chosen)) return "\u2013";
    return `${chosen === gold ? YES : NO} ${options[chosen]}`;
  };
  const tenths = (values, p) => number(values[p] / 10);
  const rows = asked(concept).map((p) => {
    const [, question, options, gold] = data.questions[p];
    return [question, options[gold], answer(model.before, p), answer(model.top, p),
      answer(model.swap, p), `${parseInt(model.random[p], 36) || 0} of ${model.draws}`,
      tenths(model.before_margin, p), tenths(model.top_margin, p)];
  });
  return tableOf("Its questions. Margin: the right answer's log-likelihood minus the best "
    + "other option's, in nats; below zero the answer is wrong.",
  ["question", "right answer", "before", "own mask", "another's mask",
    "random, right", "margin before", "margin, own mask"], rows);
}

function vectorTable(model, concept) {
  const rows = model.vectors[concept].map(([layer, vector, related, unrelated, tokens]) =>
    [count(layer), count(vector), number(related / 1000, 3), number(unrelated / 1000, 3),
      tokens.map((t) => JSON.stringify(data.tokens[t]).slice(1, -1)).join(" \u00b7 ")]);
  return tableOf(`Its first ${data.ranks} value vectors of each layer: mean absolute `
    + "coefficient on its own and on unrelated questions, and the tokens that the vector "
    + "raises most through the unembedding.",
  ["layer", "vector", "related", "unrelated", "tokens"], rows);
}

function modelTable(concept) {
  const rows = [...data.models].reverse().map((model) => {
    const found = score(model, concept);
    const counts = [found.before, found.top, found.swap].map(count);
    return [link(model, concept, model.name), ...counts, number(found.random)];
  });
  return tableOf(`${data.concepts[concept][1]} in every model, by accuracy: questions `
    + "answered right.", ["model", "before", "own mask", "another's", "random"], rows);
}

/** Masking curves of a model: accuracy against the square root of the mask ratio. */
function curveOf(model) {
  const [width, height, left, bottom] = [520, 240, 44, 34];
  const ratios = model.curves.flatMap(([, , points]) => points.map(([ratio]) => ratio));
  const widest = Math.sqrt(Math.max(0.01, ...ratios));
  const x = (ratio) => left + (Math.sqrt(ratio) / widest) * (width - left - 150);
  const y = (share) => 10 + (1 - share) * (height - bottom - 10);
  const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: "curve",
    "aria-label": `Accuracy of ${model.name} against the share of value vectors masked` });
  const label = (at, text, attributes) => svg.append(
    make("text", { x: at[0], y: at[1], ...attributes }, text));
  for (const share of [0, 0.5, 1]) {
    svg.append(make("line", { x1: left, x2: x(widest ** 2), y1: y(share), y2: y(share) }));
    label([left - 6, y(share) + 4], share.toFixed(1), { "text-anchor": "end" });
  }
  svg.append(make("line", { class: "chance", x1: left, x2: x(widest ** 2),
    y1: y(model.chance), y2: y(model.chance) }));
  for (const ratio of [0, 0.01, 0.05, 0.1, 0.2, 0.5].filter((r) => r <= widest ** 2)) {
    label([x(ratio), height - bottom + 18], `${100 * ratio}\u00a0%`, { "text-anchor": "middle" });
  }
  label([left, height - 2], "share of value vectors masked; dotted: chance", {});
  const names = { "top own": "own questions, own mask", "random own": "own, random mask",
    "top same-category": "others', own mask" };
  const taken = [];
  for (const [mask, kinship, points] of model.curves) {
    const css = `line-${mask}-${kinship}`;
    const path = points.map(([r, a], i) => `${i ? "L" : "M"}${x(r)} ${y(a / 1000)}`).join("");
    svg.append(make("path", { class: css, d: path }));
    const [ratio, last] = points[points.length - 1];
    let at = y(last / 1000) + 4;
    while (taken.some((other) => Math.abs(other - at) < 13)) at += 13;
    taken.push(at);
    label([x(ratio) + 6, at], names[`${mask} ${kinship}`], { class: css });
  }
  return svg;
}

function fill(select, pairs, chosen) {
  select.replaceChildren(...pairs.map(([value, text]) => {
    const option = make("option", { value }, text);
    option.selected = value === chosen;
    return option;
  }));
}

function show() {
  const { asked: wanted, unknown, model, concept } = route();
  if (!model) return;
  const models = [...data.models].reverse().map((m) => [m.name, m.name]);
  fill(byId("choose-model"), models, model.name);
  const concepts = data.concepts.map(([id, name]) => [id, name]).sort((a, b) =>
    a[1].localeCompare(b[1], "en"));
  const chosen = concept >= 0 ? data.concepts[concept][0] : "";
  fill(byId("choose-concept"), [["", "all concepts"], ...concepts], chosen);
  const page = concept >= 0 ? conceptPage(model, concept) : modelPage(model);
  if (unknown) {
    page.unshift(make("p", { class: "none" }, `This page does not carry ${unknown}.`));
  }
  byId("explorer-page").replaceChildren(...page);
  if (wanted) byId("explorer").scrollIntoView();
}

function choose() {
  const model = data.models.find((m) => m.name === byId("choose-model").value);
  const place = data.concepts.findIndex((c) => c[0] === byId("choose-concept").value);
  location.hash = address(model, place);
}

// Start --------------------------------------------------------------------------------

document.querySelectorAll("table.sorts").forEach(makeSortable);
document.querySelectorAll("figure").forEach(nameMarks);
for (const id of ["choose-model", "choose-concept"]) byId(id).addEventListener("change", choose);
window.addEventListener("hashchange", show);
window.addEventListener("scroll", followTip, { passive: true });
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
});
byId("explorer-tools").hidden = false;
show();

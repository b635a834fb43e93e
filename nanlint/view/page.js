"use strict";
(() => {
  const told = JSON.parse(document.getElementById("told").textContent);
  const [NAME, TYPE, BOTTOMS, TOPS, PARAMS, FIELDS, RANGES, WORK, ACTIVATION, GRADIENT, LINE] = Array(11).keys();
  const by = (id) => document.getElementById(id);
  const drawings = [...document.querySelectorAll(".drawing")];
  const fold = by("fold"), search = by("search"), hits = by("hits"), panel = by("layer"), list = by("findings");
  let net = 0, chosen = null, found = [], turn = -1, zoom = 1;

  const text = (row, column) => told.texts[row[column]];
  const current = () => {
    const own = drawings.filter((one) => +one.dataset.net === net);
    return own.find((one) => (one.dataset.fold === "1") === fold.checked) || own[0];
  };
  const nodes = () => [...current().querySelectorAll(".n")];
  const layersOf = (node) => node.dataset.l.split(" ").flatMap((run) => {
    const [first, last = first] = run.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, step) => first + step);
  });

  function make(tag, content, parent) {
    const element = document.createElement(tag);
    if (content !== undefined) element.textContent = content;
    if (parent) parent.append(element);
    return element;
  }

  function show() {
    drawings.forEach((one) => { one.hidden = one !== current(); });
    document.querySelectorAll("[role=tab]").forEach((tab) => tab.setAttribute("aria-selected", String(+tab.dataset.net === net)));
    document.querySelectorAll(".summary").forEach((one) => { one.hidden = +one.dataset.net !== net; });
    const svg = current() && current().querySelector("svg");
    if (svg) {
      const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
      svg.setAttribute("width", width * zoom);
      svg.setAttribute("height", height * zoom);
    }
    look();
  }

  function choose(node, layer) {
    if (chosen) chosen.classList.remove("hit");
    chosen = node;
    if (!node) { panel.hidden = true; return; }
    node.classList.add("hit");
    node.scrollIntoView({ block: "center", inline: "center" });
    const indices = layersOf(node);
    describe(layer === undefined ? indices : [layer, ...indices.filter((one) => one !== layer)]);
  }

  function describe(indices) {
    panel.replaceChildren();
    panel.hidden = false;
    const rows = told.nets[net].layers;
    indices.slice(0, 8).forEach((index) => {
      const row = rows[index];
      make("h3", `${text(row, NAME) || "(no name)"} · ${text(row, TYPE)}`, panel);
      const facts = make("dl", undefined, panel);
      const fact = (name, value) => { if (value !== "" && value !== null && value !== undefined) { make("dt", name, facts); make("dd", String(value), facts); } };
      fact("reads", text(row, BOTTOMS));
      fact("makes", text(row, TOPS));
      fact("weights", text(row, PARAMS));
      fact("multiply-adds", row[WORK] ? row[WORK].toLocaleString("en") : "");
      fact("values", text(row, RANGES));
      fact("activation", row[ACTIVATION]);
      fact("gradient", row[GRADIENT]);
      fact("line", row[LINE]);
      if (text(row, FIELDS)) make("pre", text(row, FIELDS), panel);
    });
    if (indices.length > 8) make("p", `and ${indices.length - 8} more layers`, panel);
  }

  function nodeOf(name) {
    const index = told.nets[net].layers.findIndex((row) => text(row, NAME) === name);
    return index < 0 ? [null] : [nodes().find((node) => layersOf(node).includes(index)), index];
  }

  function go(finding) {
    if (finding.phase) {
      const other = told.nets.findIndex((one) => one.phases.includes(finding.phase));
      if (other >= 0 && !told.nets[net].phases.includes(finding.phase)) { net = other; show(); }
    }
    if (finding.layer === null) return;
    const [node, index] = nodeOf(finding.layer);
    if (node) choose(node, index);
  }

  function look() {
    const word = search.value.trim().toLowerCase();
    const rows = told.nets.length ? told.nets[net].layers : [];
    found = [];
    nodes().forEach((node) => {
      const match = word && layersOf(node).some((index) =>
        text(rows[index], NAME).toLowerCase().includes(word) || text(rows[index], TYPE).toLowerCase() === word);
      node.classList.toggle("dim", Boolean(word) && !match);
      if (match) found.push(node);
    });
    turn = -1;
    hits.textContent = word ? `${found.length} ${found.length === 1 ? "node" : "nodes"}` : "";
  }

  function next() {
    if (found.length) {
      turn = (turn + 1) % found.length;
      choose(found[turn]);
    } else if (told.findings.length) {
      turn = (turn + 1) % told.findings.length;
      go(told.findings[turn]);
    }
  }

  function step(by) {
    const all = nodes();
    const at = all.indexOf(chosen);
    const target = all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))];
    if (target) choose(target);
  }

  told.findings.forEach((finding) => {
    const item = make("li", undefined, list);
    item.className = finding.severity;
    item.tabIndex = 0;
    make("strong", `${finding.code} ${finding.severity} `, item);
    make("span", finding.message, item);
    if (finding.evidence) make("small", ` (${finding.evidence})`, item);
    make("br", undefined, item);
    make("small", `${finding.path}:${finding.line}${finding.fix ? ` · fix: ${finding.fix}` : ""}`, item);
    item.addEventListener("click", () => go(finding));
    item.addEventListener("keydown", (event) => { if (event.key === "Enter") go(finding); });
  });
  if (!told.findings.length) make("li", "none", list);

  document.querySelectorAll("[role=tab]").forEach((tab) => tab.addEventListener("click", () => { net = +tab.dataset.net; choose(null); show(); }));
  fold.addEventListener("change", () => { choose(null); show(); });
  search.addEventListener("input", () => { look(); if (found.length) { turn = 0; choose(found[0]); } });
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") next(); });
  by("drawings").addEventListener("click", (event) => choose(event.target.closest(".n")));
  by("larger").addEventListener("click", () => { zoom = Math.min(3, zoom * 1.25); show(); });
  by("smaller").addEventListener("click", () => { zoom = Math.max(0.1, zoom / 1.25); show(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { search.value = ""; search.blur(); choose(null); look(); return; }
    if (event.target === search || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { "/": () => search.focus(), n: next, j: () => step(1), k: () => step(-1), f: () => { fold.checked = !fold.checked; choose(null); show(); } }[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  show();
})();

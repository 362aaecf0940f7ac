/* The page of the small gap: a native slider chooses tau; sentence, picture and table follow. */
"use strict";
(() => {
  const slides = JSON.parse(document.getElementById("slider-data").textContent);
  const section = document.querySelector("section.slider");
  const at = (selector) => section.querySelector(selector);
  const input = at("input");
  const top = Math.max(1, ...slides.flatMap((s) => s.pairs.flatMap((p) => p.bounds.map((b) => b.ratio)))) * 1.05;
  const number = (value) => value.toFixed(2);

  function element(name, attributes = {}, text = "") {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  }

  /* The colour of a cost, for the eye; the words beside it say which. */
  function swatch(colour) {
    const made = document.createElement("span");
    made.className = "slider-swatch";
    made.style.background = colour;
    return made;
  }

  /* Mean gap ratio of each cost over the pairs, and what that means; its swatches are the picture's legend. */
  function sentence({ pairs }) {
    const parts = pairs[0].bounds.flatMap(({ cost, colour }, k) => {
      const mean = pairs.reduce((sum, pair) => sum + pair.bounds[k].ratio, 0) / pairs.length;
      const before = `${k ? ", " : "Mean gap ratio: "}${number(mean)} with the `;
      const named = document.createElement("span"); // which stays on one line with its swatch
      named.className = "slider-cost";
      named.append(swatch(colour), `${cost} cost`);
      return [before, named, mean >= 1 ? " (vacuous)" : ""];
    });
    return [...parts, "."];
  }

  /* A line per pair: 0 is the best head, 1 is chance, above it the bound is vacuous. */
  function picture({ pairs }) {
    const width = at(".slider-picture").clientWidth || 300;
    const [left, right, line] = [8, 12, 46];
    const height = line * pairs.length + 44;
    const x = (ratio) => left + (ratio / top) * (width - left - right);
    const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    const shade = { x: x(1), y: 0, width: x(top) - x(1), height: height - 40, class: "slider-vacuous" };
    svg.append(element("rect", shade));
    pairs.forEach((pair, k) => {
      const y = line * k + 30;
      svg.append(element("text", { x: left, y: y - 14 }, pair.pair));
      svg.append(element("line", { x1: x(0), x2: x(top), y1: y, y2: y }));
      for (const place of [0, 1]) svg.append(element("line", { x1: x(place), x2: x(place), y1: y - 9, y2: y + 9 }));
      for (const { ratio, colour } of pair.bounds) svg.append(element("circle", { cx: x(ratio), cy: y, r: 6, fill: colour }));
    });
    at(".slider-picture").replaceChildren(svg);
    /* Chance is the upper one, so that its line ends above the other; it moves to the left where it has no room. */
    [
      [1, "chance; beyond it, vacuous"],
      [0, "best head"],
    ].forEach(([place, text], k) => {
      const bottom = height - 18 * (1 - k);
      const label = element("text", { y: bottom - 4 }, text);
      svg.append(element("line", { x1: x(place), x2: x(place), y1: height - 46, y2: bottom - 16 }), label);
      label.setAttribute("x", Math.min(x(place), width - label.getComputedTextLength() - 2));
    });
  }

  function cell(row, text, scope) {
    const made = document.createElement(scope ? "th" : "td");
    if (scope) made.scope = scope;
    made.append(text);
    row.append(made);
    return made;
  }

  function numbers({ pairs }) {
    const table = at("table");
    table.replaceChildren();
    table.createCaption().textContent = "At this tau, means over the seeds, in nats; gap ratio: gap / (chance - best head)";
    const head = table.createTHead().insertRow();
    for (const text of ["pair", "best head"]) cell(head, text, "col");
    for (const { cost, colour } of pairs[0].bounds) {
      cell(head, `bound, ${cost}`, "col").prepend(swatch(colour));
      cell(head, "gap ratio", "col");
    }
    const body = table.createTBody();
    for (const { pair, best, bounds } of pairs) {
      const row = body.insertRow();
      cell(row, pair, "row");
      cell(row, number(best));
      for (const { bound, ratio } of bounds) {
        cell(row, number(bound));
        cell(row, number(ratio));
      }
    }
  }

  function show() {
    const slide = slides[input.value];
    at("output").value = slide.tau;
    input.setAttribute("aria-valuetext", `tau = ${slide.tau}`);
    at(".slider-said").replaceChildren(...sentence(slide));
    picture(slide);
    numbers(slide);
  }

  input.max = slides.length - 1;
  input.value = 0;
  section.hidden = false;
  input.addEventListener("input", show);
  new ResizeObserver(() => picture(slides[input.value])).observe(at(".slider-picture"));
  show();
})();

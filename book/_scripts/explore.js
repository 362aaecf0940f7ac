/* The explore page: native controls choose a row, Vega-Lite draws it, the address remembers it. */
"use strict";
(() => {
  const { rows, cells, fields, pages, terms, colours, grey } = window.TASKREL;
  const at = (name) => document.getElementById(`explore-${name}`);

  /* How a value of a control is called: a page by number and words, all else by itself. */
  const called = (value) => pages[value] ?? value;

  const values = (name) =>
    [...new Set(rows.map((row) => String(row[name])))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

  /* The row that has the value just picked and most of the others; earlier controls count more. */
  function nearest(wanted, picked) {
    const score = (row) =>
      fields.reduce((sum, name, k) => {
        const same = wanted[name] !== undefined && String(row[name]) === wanted[name];
        return sum + (same ? (name === picked ? 1e6 : 2 ** (fields.length - k)) : 0);
      }, 0);
    return rows.reduce((best, row) => (score(row) > score(best) ? row : best), rows[0]);
  }

  function config() {
    const ink = getComputedStyle(document.body).color;
    const text = { labelColor: ink, titleColor: ink, labelFontSize: 12, titleFontSize: 12, labelLimit: 220 };
    return {
      background: null,
      font: getComputedStyle(document.body).fontFamily,
      axis: { ...text, gridOpacity: 0.25, domainColor: ink, tickColor: ink },
      legend: text,
      title: { color: ink, anchor: "start", fontSize: 13, fontWeight: "normal" },
      text: { color: ink },
      rule: { color: ink },
      view: { stroke: null },
    };
  }

  function draw(name, spec, description) {
    const place = at(name);
    place.hidden = !spec;
    if (!spec) return Promise.resolve();
    const whole = {
      $schema: "https://vega.github.io/schema/vega-lite/v6.json",
      width: "container",
      autosize: { type: "fit-x", contains: "padding" },
      description,
      config: { ...config(), tooltipFormat: { numberFormat: ".3f" } },
      ...spec,
    };
    return vegaEmbed(place, whole, { actions: false, renderer: "svg" });
  }

  /* The loss without features: that of the class fractions where the row has it, else that of equal ones. */
  const chance = (row) => (row.chance === undefined ? ["log K", row.log_k] : ["chance", row.chance]);

  function bars(row, cell) {
    const own = row.form || "this bound";
    const data = row.terms
      ? row.terms.map((value, k) => ({ what: own, part: terms[k], value, order: k }))
      : [{ what: own, part: "this row (not split)", value: row.bound, order: 0 }];
    const others = Object.entries({ ...bounds(row), ...row.truth, ...cell?.forms }).filter(([what]) => what !== own);
    /* A value far beyond chance and this bound would leave no room for the terms: its bar is cut, and its number stands there. */
    const end = 1.5 * Math.max(chance(row)[1], row.bound);
    const whole = others.every(([, value]) => value <= end);
    data.push(...others.map(([what, value]) => ({ what, part: "other values", value, order: 9 })));
    const parts = [...new Set(data.map((d) => d.part))];
    /* Beside the names of the bars a phone has no room for this long name; the table below has it whole. */
    const narrow = at("terms").parentElement.clientWidth < 500;
    const legend = narrow ? { columns: 1, labelExpr: "replace(datum.label, ' reference', '')" } : { columns: 2 };
    const ink = parts.map((part) => (part === "other values" ? grey : colours[Math.max(terms.indexOf(part), 0)]));
    return {
      data: { values: data },
      title: row.chance === undefined ? "nats; the line is log K" : "nats; the line is chance, the entropy of the classes",
      height: 26 * new Set(data.map((d) => d.what)).size,
      layer: [
        {
          mark: { type: "bar", tooltip: true, clip: true },
          encoding: {
            y: { field: "what", type: "nominal", sort: null, title: null },
            x: {
              field: "value",
              type: "quantitative",
              title: "nats (lower is better)",
              scale: whole ? {} : { domain: [0, end], nice: false },
            },
            order: { field: "order" },
            color: {
              field: "part",
              scale: { domain: parts, range: ink },
              legend: { orient: "bottom", title: null, ...legend },
            },
          },
        },
        { mark: { type: "rule", size: 2, strokeDash: [6, 3], aria: false }, encoding: { x: { datum: chance(row)[1] } } },
        {
          transform: [{ filter: `datum.value > ${end}` }, { calculate: "format(datum.value, '.2f') + ' →'", as: "far" }],
          mark: { type: "text", align: "right", dx: -4, fill: "#000", fontWeight: "bold" },
          encoding: { y: { field: "what", sort: null }, x: { datum: end }, text: { field: "far" } },
        },
      ],
    };
  }

  /* The bounds of a row under the other costs. */
  const bounds = ({ chain, transport }) =>
    Object.fromEntries(
      Object.entries(chain || {})
        .filter(([metric]) => metric !== transport)
        .map(([metric, value]) => [`bound, ${metric} cost`, value]),
    );

  function ranks(cell) {
    if (!cell || cell.of < 2 || cell.true_rank === null) return null;
    const data = Object.entries(cell.ranks).map(([score, rank]) => ({ score, rank }));
    return {
      data: { values: data },
      title: [`place of this encoder among ${cell.of};`, "the line is its place by accuracy"],
      height: 20 * data.length,
      layer: [
        {
          mark: { type: "circle", size: 90, opacity: 1, color: colours[0], tooltip: true },
          encoding: {
            y: { field: "score", type: "nominal", sort: null, title: null, axis: { grid: true } },
            x: {
              field: "rank",
              type: "quantitative",
              title: "place (1 is best)",
              scale: { domain: [1, cell.of], nice: false },
              axis: { tickMinStep: 1, format: "d" },
            },
          },
        },
        { mark: { type: "rule", size: 2, strokeDash: [6, 3], aria: false }, encoding: { x: { datum: cell.true_rank } } },
      ],
    };
  }

  const shown = (value) => (typeof value === "number" ? value.toFixed(3).replace("-", "−") : (value ?? "–"));

  /* What the picture says, as a table. */
  function numbers(row, cell) {
    const lines = [
      ...(row.terms || []).map((value, k) => [terms[k], value]),
      ...(row.terms ? [["bound (the sum)", row.bound]] : []),
      ...Object.entries(bounds(row)),
      ...(row.chance === undefined ? [] : [chance(row)]),
      ["log K", row.log_k],
      ...Object.entries({ ...row.truth, ...row.more }),
      ...(cell ? Object.entries({ ...cell.accuracies, ...cell.forms, ...cell.scores }) : []),
    ];
    if (row.certified !== undefined) lines.push(["certified", row.certified ? "yes" : "no"]);
    const table = at("numbers");
    table.replaceChildren();
    table.createCaption().textContent = "The numbers of this row";
    const head = table.createTHead().insertRow();
    for (const text of ["quantity", "value"]) {
      const cellOf = document.createElement("th");
      cellOf.scope = "col";
      cellOf.textContent = text;
      head.append(cellOf);
    }
    const body = table.createTBody();
    for (const [name, value] of lines) {
      const line = body.insertRow();
      line.insertCell().textContent = name;
      line.insertCell().textContent = shown(value);
    }
    const link = document.createElement("a");
    link.href = `executed/${row.page}.html`;
    link.textContent = called(row.page);
    const line = body.insertRow();
    line.insertCell().textContent = "page of this row";
    line.insertCell().append(link);
  }

  function show(row, said) {
    for (const name of fields) at(name).value = String(row[name]);
    const cell = cells[row.cell];
    const [name, line] = chance(row);
    at("said").textContent =
      `${said}The bound is ${shown(row.bound)} nats, ${row.bound < line ? "below" : "not below"} ${name} (${shown(line)}).`;
    numbers(row, cell);
    return pictures(row, cell);
  }

  function pictures(row, cell) {
    const where = `${row.encoder}, ${row.reference} to ${row.target}`;
    return Promise.all([
      draw("terms", bars(row, cell), `Bars of the terms and bounds for ${where}; the numbers are in the table below.`),
      draw("ranks", ranks(cell), `Dots: the place of ${where} by each score.`),
    ]);
  }

  /* Links come with a query; choices go behind the #, which a page opened as a file may change. */
  const address = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1) || location.search));
  const chosen = () => Object.fromEntries(fields.map((name) => [name, at(name).value]));
  const titles = Object.fromEntries(fields.map((name) => [name, at(name).parentElement.firstChild.textContent]));
  let current = null;

  function go(wanted, picked) {
    current = nearest(wanted, picked);
    const moved = fields.filter((name) => wanted[name] !== undefined && String(current[name]) !== wanted[name]);
    const text = moved.map((name) => `${titles[name]}: ${called(current[name])}`).join("; ");
    history.replaceState(null, "", `#${new URLSearchParams(Object.fromEntries(fields.map((n) => [n, current[n]])))}`);
    return show(current, moved.length ? `No row has all of that. Changed with it: ${text}. ` : "");
  }

  if (!rows.length) {
    at("said").textContent = "No page of this copy of the book has rows to show yet: make reproduce.";
    return;
  }
  for (const name of fields) {
    for (const value of values(name)) at(name).add(new Option(called(value), value));
    at(name).addEventListener("change", () => go(chosen(), name));
  }
  window.addEventListener("hashchange", () => go(address()));
  const redraw = () => current && pictures(current, cells[current.cell]);
  new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  go(address()).then(() => document.body.setAttribute("data-explore", "ready"));
})();

/* Long tables: rows that their class names are out of sight until a button asks for them. Without this all are seen. */
"use strict";
(() => {
  for (const table of document.querySelectorAll('table[class*="fold-"]')) {
    const found = /\bfold-(\d+)-(\d+)\b/.exec(table.className);
    const rows = found ? [...table.tBodies[0].rows].slice(Number(found[1]), Number(found[2])) : [];
    if (!rows.length) continue;
    const line = document.createElement("tr");
    const cell = line.insertCell();
    const button = document.createElement("button");
    line.className = "unfold";
    cell.colSpan = rows[0].cells.length;
    cell.append(button);
    button.type = "button";
    const fold = (hidden) => {
      for (const row of rows) row.classList.toggle("folded", hidden);
      button.setAttribute("aria-expanded", String(!hidden));
      button.textContent = hidden ? `${rows.length} more ${rows.length > 1 ? "rows" : "row"}` : "Show fewer rows";
    };
    button.addEventListener("click", () => fold(button.getAttribute("aria-expanded") === "true"));
    fold(true);
    rows[0].before(line);
  }
})();

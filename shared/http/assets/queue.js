// Consoles by keyboard: j and k move through rows, Enter opens one, / goes to the search.
// A table marked data-queue; each row holds one link. Refreshing never moves the chosen row away.
(() => {
  "use strict";
  let chosen = "";

  function rows() {
    return [...document.querySelectorAll("[data-queue] tbody tr")].filter((row) => row.querySelector("a[href]"));
  }

  function address(row) {
    return row.querySelector("a[href]").getAttribute("href");
  }

  function mark(focus) {
    rows().forEach((row) => {
      const here = address(row) === chosen;
      row.classList.toggle("wh-selected", here);
      if (here && focus) row.querySelector("a[href]").focus();
    });
  }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => address(row) === chosen);
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
    chosen = address(all[next]);
    mark(true);
  }

  function search(event) {
    const field = document.querySelector("[data-queue-search]");
    if (!field) return;
    event.preventDefault();
    field.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, textarea, select")) return;
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
    if (event.key === "/") search(event);
  });
  // No refresh while somebody points at or works in the queue: rows stay under the hand.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const queue = event.target.closest("[data-queue]") || event.target.querySelector("[data-queue]");
    const asked = event.detail.requestConfig.triggeringEvent;
    if (queue && queue.matches(":hover") && !(asked && asked.isTrusted)) event.preventDefault();
  });
  // "updated 10 s ago": counted from when the part came, so that no two clocks have to agree.
  let came = Date.now();

  function tick() {
    const seconds = Math.round((Date.now() - came) / 1000);
    document.querySelectorAll("[data-updated]").forEach((part) => {
      part.textContent = part.dataset.updated.replace("#", seconds);
    });
  }

  document.addEventListener("htmx:afterSwap", () => {
    came = Date.now();
    tick();
    mark(document.activeElement === document.body);
  });
  window.setInterval(tick, 5000);
})();

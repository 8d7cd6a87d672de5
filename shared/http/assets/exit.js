// Leaving quickly: the link works alone; this hides the page at once and counts Shift presses.
(() => {
  "use strict";
  const link = document.getElementById("exit");
  const body = document.body;
  const target = body.dataset.exit;
  let presses = 0;
  let timer = 0;

  function leave(event) {
    if (event) event.preventDefault();
    const overlay = document.createElement("div");
    overlay.className = "wh-overlay";
    overlay.setAttribute("role", "alert");
    overlay.textContent = (link && link.dataset.leaving) || "";
    body.replaceChildren(overlay);
    body.classList.add("wh-leaving");
    document.title = "…";
    window.location.replace(target);
  }

  function tell() {
    const place = document.getElementById("exit-presses");
    if (!place || !link) return;
    const left = 3 - presses;
    place.textContent =
      presses === 0 ? "" : left === 1 ? link.dataset.press : link.dataset.presses.replace("COUNT", left);
  }

  function reset() {
    presses = 0;
    tell();
  }

  document.addEventListener("keyup", (event) => {
    if (event.key !== "Shift") return reset();
    presses += 1;
    if (presses >= 3) return leave();
    window.clearTimeout(timer);
    timer = window.setTimeout(reset, 5000);
    tell();
  });
  document.querySelectorAll(`a[href="${target}"]`).forEach((a) => a.addEventListener("click", leave));
  // Back from the neutral page must not show this one out of the browser's memory.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
  const summary = document.getElementById("error-summary");
  if (summary) summary.focus();
})();

// For signed-in pages: the warning before the time-out, and what htmx must send along.
(() => {
  "use strict";
  const body = document.body;
  const idle = Number(body.dataset.idleSeconds || 0) * 1000;
  const warning = 2 * 60 * 1000;
  const token = document.querySelector('meta[name="csrf-token"]');
  const dialog = document.getElementById("idle");
  let used = Date.now();
  let kept = Date.now();

  function headers() {
    return token ? { "X-CSRFToken": token.content } : {};
  }

  async function keep() {
    used = kept = Date.now();
    if (dialog && dialog.open) dialog.close();
    const answer = await fetch(body.dataset.keep, { method: "POST", headers: headers() }).catch(() => null);
    if (answer && answer.status !== 204) end();
  }

  function end() {
    body.replaceChildren();
    window.location.replace(body.dataset.timedOut);
  }

  function look() {
    const left = idle - (Date.now() - used);
    if (left <= 0) return end();
    if (left <= warning && dialog && !dialog.open) dialog.showModal();
    return undefined;
  }

  // Typing is use: the server is told once in a while, so that a long page is not cut off.
  function typed() {
    if (dialog && dialog.open) return;
    used = Date.now();
    if (used - kept > 60000) keep();
  }

  if (idle) {
    ["keydown", "pointerdown", "input"].forEach((name) => document.addEventListener(name, typed, { passive: true }));
    const stay = document.getElementById("idle-stay");
    if (stay) stay.addEventListener("click", keep);
    if (dialog) dialog.addEventListener("cancel", keep);
    window.setInterval(look, 5000);
  }

  document.addEventListener("htmx:configRequest", (event) => {
    Object.assign(event.detail.headers, headers());
    const asked = event.detail.triggeringEvent;
    if (!asked || !asked.isTrusted) event.detail.headers["X-Background"] = "1";
  });

  document.querySelectorAll("[data-print]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  });

  // A second click on the way sends nothing twice (the server would drop it anyway).
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    window.setTimeout(() => delete form.dataset.sent, 5000);
    return undefined;
  });
})();

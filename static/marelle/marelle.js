// Comforts only: every page works without this file.
(() => {
  "use strict";

  // Leaving a half-typed form. A form marked data-guard is "dirty" from the first keystroke until it is sent,
  // or until its draft is kept on the server.
  const dirty = new Set();
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-guard]");
    if (form) dirty.add(form);
  });
  document.addEventListener("submit", (event) => dirty.delete(event.target));
  window.addEventListener("beforeunload", (event) => {
    if (dirty.size) event.preventDefault();
  });

  // Sending twice: the second click within three seconds is ignored, the button keeps its name and value.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    window.setTimeout(() => delete form.dataset.sent, 3000);
  });

  // What is left to type in a long text.
  const number = new Intl.NumberFormat("fr-FR");
  for (const counter of document.querySelectorAll("[data-counter]")) {
    const area = document.getElementById(counter.dataset.counter);
    if (!area || area.maxLength < 0) continue;
    const show = () => {
      const left = area.maxLength - area.value.length;
      counter.textContent = `Encore ${number.format(left)} signe${left > 1 ? "s" : ""}`;
      counter.classList.toggle("field-limit-near", left < 50);
    };
    area.addEventListener("input", show);
    if (area.value) show();
  }

  // Printing from a button of the page.
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // After a refused form, the keyboard starts from the list of what is to be mended.
  document.querySelector("[data-focus]")?.focus();

  // Drafts kept by htmx: refusals are shown like answers, and silence is said.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([409, 422].includes(event.detail.xhr.status)) event.detail.shouldSwap = true;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest("form[data-guard]");
    if (form && event.detail.successful) dirty.delete(form);
    if (event.detail.successful) active();
  });
  for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      const status = event.detail.xhr ? event.detail.xhr.status : 0;
      const target = event.detail.target;
      if (target?.classList.contains("draft-state") && ![409, 422].includes(status)) {
        target.textContent = "Brouillon non gardé : le serveur ne répond pas. Copiez votre texte avant de quitter la page.";
      }
    });
  }

  // The session ends after a time without any request; five minutes before, the page says so.
  const warning = document.querySelector("[data-idle-seconds]");
  const lastMoments = 10 * 1000;
  let timer = 0;
  let lastTimer = 0;
  let endsAt = Infinity;
  function active() {
    if (!warning) return;
    const left = Number(warning.dataset.idleSeconds) * 1000;
    endsAt = Date.now() + left;
    warning.hidden = true;
    window.clearTimeout(timer);
    window.clearTimeout(lastTimer);
    timer = window.setTimeout(() => (warning.hidden = false), left - 300 * 1000);
    lastTimer = window.setTimeout(() => dirty.forEach(keep), left - lastMoments);
  }

  // A draft is kept a moment after the last key; in the last moments of a session, at once: the next would be too late.
  function keep(form) {
    for (const draft of form.querySelectorAll("[hx-trigger*=keep]")) window.htmx.trigger(draft, "keep");
  }
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-guard]");
    if (form && endsAt - Date.now() < lastMoments) keep(form);
  });
  warning?.querySelector("button").addEventListener("click", async () => {
    const answer = await fetch(warning.dataset.keepAlive, { redirect: "manual" }).catch(() => null);
    if (answer && answer.ok) active();
    else warning.querySelector("p").textContent = "La connexion est perdue : copiez ce que vous tapez, puis reconnectez-vous.";
  });
  active();
})();

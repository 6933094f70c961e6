// Enhancements; every page works without them.
(() => {
  "use strict";
  const one = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => (root || document).querySelectorAll(selector);

  // Focus the error summary, or a receipt's outcome.
  const first = one("#problems") || one("#receipt-status h1");
  if (first) first.focus({ preventScroll: first.id !== "problems" });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#problems a[href^='#']");
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.closest(".field").scrollIntoView({ block: "center" });
  });

  // The service worker, in the page's language.
  const worker = document.body.dataset.worker;
  if (worker && navigator.serviceWorker) navigator.serviceWorker.register(worker).catch(() => { /* not supported */ });

  // Show and hide passwords.
  for (const button of all("[data-peek]")) {
    const field = document.getElementById(button.dataset.peek);
    button.hidden = false;
    button.addEventListener("click", () => {
      const show = field.type === "password";
      field.type = show ? "text" : "password";
      button.textContent = show ? button.dataset.hide : button.dataset.show;
      button.setAttribute("aria-pressed", String(show));
    });
    // Password managers need a password field at submission.
    if (field.form) field.form.addEventListener("submit", () => { field.type = "password"; });
  }

  // Buttons that need a script are shown by it.
  const tools = () => {
    for (const button of all("[data-print]")) button.hidden = false;
    for (const button of all("[data-share]")) button.hidden = !navigator.share;
    for (const button of all("[data-copy]")) button.hidden = !navigator.clipboard;
  };
  tools();
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
    const share = event.target.closest("[data-share]");
    if (share) navigator.share({ url: share.dataset.share }).catch(() => { /* canceled */ });
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard.writeText(copy.dataset.copy).then(() => {
      const label = one("[aria-live]", copy);
      const usual = copy.dataset.usual ??= label.textContent;
      label.textContent = copy.dataset.copied;
      setTimeout(() => { label.textContent = usual; }, 3000);
    }, () => { /* denied */ });
  });

  // Loads the page again with GET, never posting a form twice.
  const reload = () => location.replace(location.pathname + location.search);

  // A page from the back-forward cache may show an old balance or button, or a wallet
  // that has logged out: hide it and load it again.
  addEventListener("pageshow", (event) => {
    // mutant:replace if (!event.persisted || !document.body.classList.contains("signed-in")) return; => return; ./templates/gallery TestBackForwardCache
    if (!event.persisted || !document.body.classList.contains("signed-in")) return;
    document.body.hidden = true;
    reload();
  });

  // Poll the outcome of a payment in processing.
  const receipt = one("#receipt");
  const interval = Number(document.body.dataset.refresh) * 1000;
  const poll = async () => {
    try {
      const at = new URL(location.href);
      at.searchParams.set("poll", "1"); // does not keep the session from ending
      const answer = await fetch(at, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.redirected) return reload();
      if (!answer.ok) throw new Error(String(answer.status));
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = one("#receipt", next);
      if (!fresh) return reload();
      const state = (root) => one("[data-payment-status]", root).dataset.paymentStatus;
      if (state(fresh) === state(receipt)) return void setTimeout(poll, interval);
      // Keep the live region, so that screen readers announce the change.
      one("#receipt-status").replaceChildren(...one("#receipt-status", next).childNodes);
      for (const part of [".receipt-sign", ".facts", ".slip-sum"]) one(part, receipt).replaceWith(one(part, fresh));
      const code = one(".receipt-verify", fresh);
      if (code) one(".facts", receipt).after(code);
      const reason = one(".receipt-reason", fresh);
      if (reason) one(".facts", receipt).before(reason);
      receipt.className = fresh.className;
      one(".receipt-side").replaceWith(one(".receipt-side", next));
      tools();
      document.title = next.title;
    } catch {
      setTimeout(poll, interval * 2);
    }
  };
  if (receipt && interval) setTimeout(poll, interval);

  // Warn a minute before the session ends.
  const idle = one("#idle");
  if (idle) {
    const length = Number(idle.dataset.idle) * 1000;
    let warn, end;
    const startTimers = () => {
      clearTimeout(warn);
      clearTimeout(end);
      warn = setTimeout(() => idle.showModal(), Math.max(length - 60000, 0));
      // mutant:replace setTimeout(reload, length + 1000) => 0 ./templates/gallery TestIdlePageIsLeft
      end = setTimeout(reload, length + 1000);
    };
    one("[data-idle-stay]", idle).addEventListener("click", async () => {
      idle.close();
      try { if ((await fetch("/help", { cache: "no-store" })).ok) startTimers(); } catch { /* the timers stay */ }
    });
    startTimers();
  }
})();

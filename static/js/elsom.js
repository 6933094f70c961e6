// Small comforts; every page works without them.
(() => {
  "use strict";
  const one = (selector, root) => (root || document).querySelector(selector);
  const all = (selector, root) => (root || document).querySelectorAll(selector);

  // What went wrong is read first; a receipt's outcome comes next.
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

  // The application when there is no connection, in the language of the page.
  const worker = document.body.dataset.worker;
  if (worker && navigator.serviceWorker) navigator.serviceWorker.register(worker).catch(() => { /* not in this browser */ });

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
    // A keeper of passwords must find a password when the form goes.
    if (field.form) field.form.addEventListener("submit", () => { field.type = "password"; });
  }

  // What only a script can do is offered only where it can be done.
  const tools = () => {
    for (const button of all("[data-print]")) button.hidden = false;
    for (const button of all("[data-share]")) button.hidden = !navigator.share;
  };
  tools();
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
    const share = event.target.closest("[data-share]");
    if (share) navigator.share({ text: share.dataset.share }).catch(() => { /* thought better of it */ });
  });

  // Gets the page anew, never posting again.
  const anew = () => location.replace(location.pathname + location.search);

  // A page from the back-forward cache may show a balance or a button of before,
  // or a wallet that has logged out since: it is hidden and asked for again.
  addEventListener("pageshow", (event) => {
    // mutant:replace if (!event.persisted || !document.body.classList.contains("signed-in")) return; => return; ./templates/gallery TestBackForwardCache
    if (!event.persisted || !document.body.classList.contains("signed-in")) return;
    document.body.hidden = true;
    anew();
  });

  // A receipt in processing looks for its outcome.
  const receipt = one("#receipt");
  const pause = Number(document.body.dataset.refresh) * 1000;
  const look = async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.redirected) return anew();
      if (!answer.ok) throw new Error(String(answer.status));
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = one("#receipt", next);
      if (!fresh) return anew();
      const state = (root) => one("[data-payment-status]", root).dataset.paymentStatus;
      if (state(fresh) === state(receipt)) return void setTimeout(look, pause);
      // The live region stays where it is, so that its new words are spoken.
      one("#receipt-status").replaceChildren(...one("#receipt-status", next).childNodes);
      for (const part of [".receipt-sign", ".facts", ".slip-sum"]) one(part, receipt).replaceWith(one(part, fresh));
      const reason = one(".receipt-reason", fresh);
      if (reason) one(".facts", receipt).before(reason);
      receipt.className = fresh.className;
      for (const part of [".funds", ".actions"]) one("main > " + part).replaceWith(one("main > " + part, next));
      tools();
      document.title = next.title;
    } catch {
      setTimeout(look, pause * 2);
    }
  };
  if (receipt && pause) setTimeout(look, pause);

  // A minute before the session ends by itself, ask.
  const idle = one("#idle");
  if (idle) {
    const length = Number(idle.dataset.idle) * 1000;
    let warn, end;
    const wind = () => {
      clearTimeout(warn);
      clearTimeout(end);
      warn = setTimeout(() => idle.showModal(), Math.max(length - 60000, 0));
      end = setTimeout(anew, length + 1000);
    };
    one("[data-idle-stay]", idle).addEventListener("click", async () => {
      idle.close();
      try { if ((await fetch("/help", { cache: "no-store" })).ok) wind(); } catch { /* the end stays set */ }
    });
    wind();
  }
})();

// Installing the application and push notifications. All else works without this
// script.
(() => {
  "use strict";
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);

  // The install hint is shown until it is dismissed.
  const hint = one("[data-install-hint]");
  const dismissedKey = "install-hint-away";
  const dismissed = () => { try { return Boolean(localStorage.getItem(dismissedKey)); } catch { return true; } };
  let installEvent; // of beforeinstallprompt, until it is used
  const show = (canPrompt) => {
    for (const button of all("[data-install]")) button.hidden = !canPrompt;
    for (const link of all("[data-install-how]")) link.hidden = canPrompt;
    if (hint) hint.hidden = dismissed();
  };
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    installEvent = event;
    show(true);
  });
  addEventListener("appinstalled", () => {
    for (const part of all("[data-install], [data-install-hint]")) part.hidden = true;
  });
  // iOS installs from its own menu only.
  if (navigator.standalone === false) show(false);
  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-install-away]")) {
      hint.hidden = true;
      localStorage.setItem(dismissedKey, "yes");
    }
    if (event.target.closest("[data-install]") && installEvent) {
      const saved = installEvent;
      installEvent = null; // prompt() works once
      for (const button of all("[data-install]")) button.hidden = true;
      await saved.prompt();
    }
  });

  // The button asks for the permission; then the form is posted like any other.
  const form = one("#notices-form");
  if (form && "PushManager" in window && "Notification" in window) {
    form.hidden = false;
    one("#notices-unable").hidden = true;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      one("#notices-denied").hidden = true;
      try {
        if ((await Notification.requestPermission()) !== "granted") throw new Error("denied");
        const { pushManager } = await navigator.serviceWorker.ready;
        await (await pushManager.getSubscription())?.unsubscribe(); // it may belong to an older key
        const { endpoint, keys } = (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.key })).toJSON();
        for (const [name, value] of Object.entries({ endpoint, ...keys })) form.elements[name].value = value;
        form.submit();
      } catch {
        one("#notices-denied").hidden = false;
      }
    });
  }
})();

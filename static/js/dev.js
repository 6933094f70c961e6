// The handset of development: new messages come in without a press.
(() => {
  "use strict";
  const pause = Number(document.body.dataset.refresh) * 1000 || 5000;
  const look = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = next.getElementById("messages");
      const shown = document.getElementById("messages");
      if (answer.ok && fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceChildren(...fresh.childNodes);
    } catch { /* the next look may find more */ }
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
})();

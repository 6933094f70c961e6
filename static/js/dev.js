// The handset of development mode: keys type without a request, screens change
// without a page load, and messages are polled.
(() => {
  "use strict";
  const one = (selector, root) => (root || document).querySelector(selector);
  const interval = 3000;
  const updateMessages = (page) => {
    const fresh = one("#messages", page), shown = one("#messages");
    if (!fresh || fresh.innerHTML === shown.innerHTML) return;
    const known = new Set([...shown.querySelectorAll(".sms")].map((sms) => sms.textContent));
    for (const sms of fresh.querySelectorAll(".sms")) if (!known.has(sms.textContent)) sms.classList.add("sms-new");
    shown.replaceChildren(...fresh.childNodes);
    shown.scrollTop = 0;
  };
  const read = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");
  const address = one("#handset").dataset.href;
  const poll = async () => {
    try {
      const answer = await fetch(address, { cache: "no-store" });
      if (answer.ok) updateMessages(await read(answer));
    } catch { /* try again later */ }
    setTimeout(poll, interval);
  };
  setTimeout(poll, interval);

  const focusTarget = () => one("#typed") || one("#dial button");
  let busy = false;
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.id !== "dial") return;
    event.preventDefault();
    const typed = one("#typed"), by = event.submitter;
    if (by && by.name === "key" && typed) {
      typed.value = by.value === "erase" ? typed.value.slice(0, -1) : typed.value + by.value;
      return;
    }
    if (busy) return;
    busy = true;
    one("#handset").setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, by)) });
      const page = await read(answer), next = one("#dial", page);
      if (!next) return location.assign(address);
      form.className = next.className;
      const said = one("#said", form);
      for (const field of ["session", "text"]) form.elements[field].value = next.elements[field].value;
      said.replaceChildren(...one("#said", next).childNodes);
      while (said.nextSibling) said.nextSibling.remove();
      for (const part of [...one("#said", next).parentNode.children].slice([...next.children].indexOf(one("#said", next)) + 1)) form.append(part);
      updateMessages(page);
      focusTarget().focus();
    } catch {
      form.submit();
    } finally {
      busy = false;
      one("#handset").removeAttribute("aria-busy");
    }
  });
})();

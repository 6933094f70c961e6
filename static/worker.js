// The service worker. `shell`, which the server puts before this script, lists what
// is cached for use without a connection: files by their hashed addresses, and
// public pages as visitors see them. No other response is cached, and no request is
// sent twice.
(() => {
  "use strict";
  const address = (url) => new URL(url, location.origin);
  const cached = async (url) => (await caches.open(shell.name)).match(url, { ignoreVary: true });

  addEventListener("install", (event) => event.waitUntil((async () => {
    const cache = await caches.open(shell.name);
    await Promise.all([...shell.files, ...shell.pages].map(async (url) => {
      // Without cookies, so that the pages are a visitor's.
      // mutant:replace credentials: "omit", cache => cache ./internal/e2e TestPayDosTekInInstalledApp
      const answer = await fetch(url, { credentials: "omit", cache: "reload" });
      if (!answer.ok || answer.redirected) throw new Error(url);
      await cache.put(url, answer);
    }));
    await skipWaiting();
  })()));

  // Remove the caches of older releases.
  addEventListener("activate", (event) => event.waitUntil((async () => {
    // mutant:replace if (name !== shell.name) await caches.delete(name) => void name ./internal/e2e TestOlderServiceWorkerIsReplaced
    for (const name of await caches.keys()) if (name !== shell.name) await caches.delete(name);
    await registration.navigationPreload?.enable();
    await clients.claim();
  })()));

  const navigate = async (event, url) => {
    try {
      return (await event.preloadResponse) || (await fetch(event.request));
    } catch {
      // It is unknown whether a form arrived, so it is never sent again. The page
      // with the form shows the state once it loads.
      // mutant:replace return Response.redirect(event.request.referrer, 303) => return fetch(event.request.url, { method: "POST" }).catch(() => Response.error()) ./internal/e2e TestConnectionLostWhilePaying
      if (event.request.method !== "GET") return Response.redirect(event.request.referrer, 303);
      const page = shell.pages.find((page) => address(page).pathname === url.pathname);
      return (page && (await cached(page))) || (await cached(shell.offline)) || Response.error();
    }
  };

  addEventListener("fetch", (event) => {
    const { request } = event;
    const url = address(request.url);
    if (url.origin !== location.origin) return;
    if (request.mode === "navigate") {
      // A form of another site must reach the server unchanged.
      const ours = request.method === "GET" || request.referrer.startsWith(location.origin + "/");
      if (ours) event.respondWith(navigate(event, url));
    } else if (request.method === "GET" && shell.files.includes(url.pathname)) {
      event.respondWith(cached(url.pathname).then((file) => file || fetch(request)));
    }
  });

  addEventListener("push", (event) => {
    const { title, text, lang, tag, href } = event.data.json();
    event.waitUntil(registration.showNotification(title, {
      body: text, lang, tag, data: href, icon: shell.icon, badge: shell.badge,
    }));
  });

  addEventListener("notificationclick", (event) => {
    event.notification.close();
    const url = address(event.notification.data);
    if (url.origin === location.origin) event.waitUntil(clients.openWindow(url.href));
  });
})();

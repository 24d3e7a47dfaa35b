// Two comforts for browsers with script: the next video follows when one ends, and pages that show the present stay
// current. Without it every page works by its links.

const fetchPage = async (url) => {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  // Signed out, or gone: the browser may show that by itself.
  if (!response.ok || response.redirected) return undefined;
  return new DOMParser().parseFromString(await response.text(), "text/html");
};

const player = document.querySelector("#player");
player?.addEventListener("ended", async () => {
  const next = document.querySelector("a[data-next]");
  if (!next) return;
  const page = await fetchPage(next.href).catch(() => undefined);
  const found = page?.querySelector("#player");
  if (!found) {
    location.assign(next.href);
    return;
  }
  for (const name of ["src", "poster", "width", "height", "aria-label"]) {
    player.setAttribute(name, found.getAttribute(name) ?? "");
  }
  for (const part of page.querySelectorAll("[data-part]")) {
    document.querySelector(`[data-part="${part.dataset.part}"]`)?.replaceWith(document.adoptNode(part));
  }
  document.title = page.title;
  history.replaceState(null, "", next.href);
  player.play().catch(() => {});
});

const seconds = Number(document.querySelector("main")?.dataset.refresh);
if (seconds > 0) {
  const refresh = async () => {
    const main = document.querySelector("main");
    // Nothing is moved under the hands of a person.
    const isBusy = document.hidden || main.matches(":focus-within") || !getSelection().isCollapsed;
    const page = isBusy ? undefined : await fetchPage(location.href).catch(() => undefined);
    const found = page?.querySelector("main");
    if (found?.dataset.refresh) main.replaceChildren(...found.childNodes);
    setTimeout(refresh, seconds * 1000);
  };
  setTimeout(refresh, seconds * 1000);
}

// Two comforts for browsers with script: the next video follows when one ends, and pages that show the present stay
// current. Without it every page works by its links.

const fetchPage = async (url) => {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  // Signed out, or gone: the browser may show that by itself.
  if (!response.ok || response.redirected) return undefined;
  return new DOMParser().parseFromString(await response.text(), "text/html");
};

const player = document.querySelector("#player");
const findNext = (page) => page?.querySelector("a[data-next]")?.getAttribute("href");

// While the newest video was playing, the next one may have been recorded; else it will be soon.
const waitForNext = async () => {
  for (let tries = 0; tries < 8 && player.ended; tries++) {
    const next = findNext(document) ?? findNext(await fetchPage(location.href).catch(() => undefined));
    if (next) return next;
    await new Promise((resolve) => setTimeout(resolve, tries < 3 ? 2_000 : 10_000));
  }
  return undefined;
};

const takeIn = (page, address) => {
  const found = page.querySelector("#player");
  for (const name of ["src", "poster", "width", "height", "aria-label"]) {
    player.setAttribute(name, found.getAttribute(name) ?? "");
  }
  for (const part of page.querySelectorAll("[data-part]")) {
    document.querySelector(`[data-part="${part.dataset.part}"]`)?.replaceWith(document.adoptNode(part));
  }
  document.title = page.title;
  history.replaceState(null, "", address);
};

player?.addEventListener("ended", async () => {
  const next = await waitForNext();
  if (!next || !player.ended) return;
  const page = await fetchPage(next).catch(() => undefined);
  // A page without a player says why there is none.
  if (!page?.querySelector("#player")) {
    location.assign(next);
    return;
  }
  takeIn(page, next);
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

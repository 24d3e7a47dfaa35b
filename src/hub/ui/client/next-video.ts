import { fetchPage } from "./fetch-page.ts";

// On the page of one video the next one follows when it ends, in the same element.

const player = document.querySelector<HTMLVideoElement>("video#player");

const findNext = (page: Document | undefined) => page?.querySelector("a[data-next]")?.getAttribute("href");

/** While the newest video was playing, the next one may have been recorded; else it will be soon. */
async function waitForNext(video: HTMLVideoElement): Promise<string | undefined> {
  for (let tries = 0; tries < 8 && video.ended; tries++) {
    const next = findNext(document) ?? findNext(await fetchPage(location.href).catch(() => undefined));
    if (next) return next;
    await new Promise((resolve) => setTimeout(resolve, tries < 3 ? 2_000 : 10_000));
  }
  return undefined;
}

function takeIn(video: HTMLVideoElement, page: Document, found: Element, address: string): void {
  for (const name of ["src", "poster", "width", "height", "aria-label"]) {
    video.setAttribute(name, found.getAttribute(name) ?? "");
  }
  for (const part of page.querySelectorAll<HTMLElement>("[data-part]")) {
    document.querySelector(`[data-part="${part.dataset.part}"]`)?.replaceWith(document.adoptNode(part));
  }
  document.title = page.title;
  history.replaceState(null, "", address);
}

player?.addEventListener("ended", async () => {
  const next = await waitForNext(player);
  if (!next || !player.ended) return;
  const page = await fetchPage(next).catch(() => undefined);
  const found = page?.querySelector("#player");
  // A page without a player says why there is none.
  if (!page || !found) {
    location.assign(next);
    return;
  }
  takeIn(player, page, found, next);
  player.play().catch(() => {});
});

import { fetchThisPage } from "./fetch-page.ts";
import {
  isLiveWanted,
  loadWallChoice,
  saveWallChoice,
  toggleCamera,
  type WallChoice,
} from "./wall-choice.ts";
import { WallTile } from "./wall-tile.ts";

// The wall of cameras. What is not seen costs nothing: a camera is live, and asked for pictures, while its tile is on
// the screen of a page that is not hidden.

const maxLive = 9;
const refreshMs = 15_000;
const pictureMs = 30_000;
/** Of all cameras together, at a time. */
const maxFetches = 3;
const lookMs = 1_000;
/** Somebody who looks away for a moment finds it as it was. */
const hiddenMs = 10_000;
/** A tile that is scrolled past is not begun to be watched. */
const settleMs = 300;

class Wall {
  readonly #list: HTMLElement;
  readonly #tiles = new Map<string, WallTile>();
  readonly #seen: IntersectionObserver;
  #choice: WallChoice;
  #isAwake = !document.hidden;
  #fetches = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(list: HTMLElement) {
    this.#list = list;
    this.#choice = loadWallChoice();
    this.#seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const tile = this.#tiles.get((target as HTMLElement).dataset.camera ?? "");
        if (tile) tile.isVisible = isIntersecting;
      }
      clearTimeout(this.#settling);
      this.#settling = setTimeout(() => this.#apply(), settleMs);
    });
    for (const element of list.querySelectorAll<HTMLElement>("[data-camera]")) this.#add(element);
    this.#listen();
    this.#apply();
    setInterval(() => this.#fetchPictures(), lookMs);
    setTimeout(() => this.#refresh(), refreshMs);
  }

  #add(element: HTMLElement): void {
    const tile = new WallTile(element);
    this.#tiles.set(tile.cameraId, tile);
    this.#seen.observe(element);
    const tools = element.querySelector<HTMLElement>(".tile-tools");
    if (tools) tools.hidden = false;
    element.querySelector("[data-tile=live]")?.addEventListener("click", () => {
      this.#choose(toggleCamera(this.#choice, tile.cameraId));
    });
    element.querySelector("[data-tile=full]")?.addEventListener("click", () => toggleFull(tile.picture));
  }

  #listen(): void {
    const tools = document.querySelector<HTMLElement>("[data-wall-tools]");
    if (!tools) return;
    tools.hidden = false;
    const columns = tools.querySelector<HTMLSelectElement>("[data-wall-columns]");
    columns?.addEventListener("change", () => this.#choose({ ...this.#choice, columns: columns.value }));
    const live = tools.querySelector<HTMLInputElement>("[data-wall-live]");
    live?.addEventListener("change", () => {
      this.#choose({ ...this.#choice, isLive: live.checked, others: [] });
    });
    tools.querySelector("[data-wall-full]")?.addEventListener("click", () => toggleFull(this.#list));
    document.addEventListener("fullscreenchange", () => this.#apply());
    let hiding: ReturnType<typeof setTimeout> | undefined;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(hiding);
      hiding = setTimeout(
        () => {
          this.#isAwake = !document.hidden;
          this.#apply();
        },
        document.hidden ? hiddenMs : 0,
      );
    });
  }

  #choose(choice: WallChoice): void {
    this.#choice = choice;
    saveWallChoice(choice);
    this.#apply();
  }

  /** Brings everything to what is chosen and seen. */
  #apply(): void {
    const { columns, isLive } = this.#choice;
    this.#list.dataset.columns = columns === "auto" && this.#isFull ? this.#columnsOfAll : columns;
    const tools = document.querySelector("[data-wall-tools]");
    const select = tools?.querySelector<HTMLSelectElement>("[data-wall-columns]");
    if (select) select.value = columns;
    const live = tools?.querySelector<HTMLInputElement>("[data-wall-live]");
    if (live) live.checked = isLive;
    let count = 0;
    let isCut = false;
    for (const tile of this.#tilesInOrder()) {
      const isWanted = isLiveWanted(this.#choice, tile.cameraId);
      tile.element.querySelector("[data-tile=live]")?.setAttribute("aria-pressed", String(isWanted));
      const isSeen = this.#isAwake && tile.isVisible && tile.isWatchable;
      if (isWanted && isSeen && count < maxLive) {
        count++;
        tile.startLive(tile.element.querySelector("h2")?.textContent ?? "");
      } else {
        isCut ||= isWanted && isSeen;
        tile.stopLive();
      }
    }
    const limit = tools?.querySelector<HTMLElement>("[data-wall-limit]");
    if (limit) limit.hidden = !isCut;
  }

  get #isFull(): boolean {
    return document.fullscreenElement === this.#list;
  }

  /** So that as many rows as columns hold all of them. */
  get #columnsOfAll(): string {
    const columns = Math.ceil(Math.sqrt(this.#tiles.size));
    return String(columns > 6 ? 8 : columns);
  }

  *#tilesInOrder(): Generator<WallTile> {
    for (const element of this.#list.querySelectorAll<HTMLElement>("[data-camera]")) {
      const tile = this.#tiles.get(element.dataset.camera ?? "");
      if (tile) yield tile;
    }
  }

  /** A few at a time, those first whose picture is the oldest. */
  #fetchPictures(): void {
    if (!this.#isAwake) return;
    const due = [...this.#tiles.values()]
      .filter((tile) => tile.isVisible && tile.isWatchable && !tile.isLive && tile.pictureAgeMs > pictureMs)
      .sort((a, b) => b.pictureAgeMs - a.pictureAgeMs);
    for (const tile of due.slice(0, maxFetches - this.#fetches)) {
      this.#fetches++;
      // One that has none keeps what it shows, and is asked again in its turn.
      const done = () => {
        this.#fetches--;
      };
      tile.refreshPicture().then(done, done);
    }
  }

  async #refresh(): Promise<void> {
    const page = document.hidden ? undefined : await fetchThisPage();
    const list = page?.querySelector<HTMLElement>("[data-wall]");
    if (page && list) this.#takeIn(page, list);
    setTimeout(() => this.#refresh(), refreshMs);
  }

  #takeIn(page: Document, list: HTMLElement): void {
    const elements = [...list.querySelectorAll<HTMLElement>("[data-camera]")];
    const ids = new Set(elements.map(({ dataset }) => dataset.camera));
    if ((ids.size === 0) !== (this.#tiles.size === 0)) location.reload();
    for (const [id, tile] of this.#tiles) {
      if (ids.has(id)) continue;
      tile.stopLive();
      this.#seen.unobserve(tile.element);
      tile.element.remove();
      this.#tiles.delete(id);
    }
    let before: Element | null = null;
    for (const element of elements) {
      const tile = this.#tiles.get(element.dataset.camera ?? "");
      if (tile) tile.update(element);
      else {
        const made: HTMLElement = document.adoptNode(element);
        if (before) before.after(made);
        else this.#list.prepend(made);
        this.#add(made);
      }
      before = this.#tiles.get(element.dataset.camera ?? "")?.element ?? before;
    }
    const count = page.querySelector("[data-part=count]")?.textContent;
    const shown = document.querySelector("[data-part=count]");
    if (count && shown) shown.textContent = count;
    this.#apply();
  }
}

function toggleFull(element: HTMLElement): void {
  if (document.fullscreenElement === element) void document.exitFullscreen();
  // A browser that does not want to says so by not doing it.
  else element.requestFullscreen?.().catch(() => {});
}

const list = document.querySelector<HTMLElement>("[data-wall]");
if (list) new Wall(list);

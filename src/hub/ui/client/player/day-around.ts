import { localDateOf } from "../../../../common/time-zone.ts";
import { fetchPage } from "../fetch-page.ts";

/** A hub that did not answer is asked again no sooner. */
const retryMs = 10_000;

/** What stands around a player on its page: heading and calendar above it, tiles and lists below. */
export class DayAround {
  readonly #player: HTMLElement;
  readonly #cameraId: string;
  readonly #timeZone: string;
  #day: string;
  #isLoading = false;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** `atMs`: a moment of the day that the page is of. */
  constructor(options: { player: HTMLElement; cameraId: string; timeZone: string; atMs: number }) {
    this.#player = options.player;
    this.#cameraId = options.cameraId;
    this.#timeZone = options.timeZone;
    this.#day = localDateOf(options.atMs, options.timeZone);
  }

  /** Has the page be that of a moment's day. To be called often. */
  async follow(atMs: number | undefined): Promise<void> {
    if (atMs === undefined || this.#isLoading || performance.now() - this.#askedAt < retryMs) return;
    const day = localDateOf(atMs, this.#timeZone);
    if (day === this.#day || this.#isInUse) return;
    this.#isLoading = true;
    const path = `/cameras/${encodeURIComponent(this.#cameraId)}?date=${day}`;
    const page = await fetchPage(path).catch(() => undefined);
    this.#isLoading = false;
    if (page && !this.#isInUse && this.#take(page)) this.#day = day;
    else this.#askedAt = performance.now();
  }

  get #isInUse(): boolean {
    const focused = document.activeElement;
    return this.#own.some((element) => element.contains(focused)) || this.#calendar?.open === true;
  }

  get #calendar(): HTMLDetailsElement | null {
    return document.querySelector<HTMLDetailsElement>(".daybar details");
  }

  /** Of the page, what belongs to its day. */
  get #own(): Element[] {
    return ownOf(this.#player);
  }

  #take(page: Document): boolean {
    const theirs = page.querySelector("livecam-player");
    const [bar, theirBar] = [document.querySelector(".daybar"), page.querySelector(".daybar")];
    if (!theirs || !bar || !theirBar) return false;
    for (const element of this.#own) if (element !== bar) element.remove();
    bar.replaceWith(theirBar);
    this.#player.after(...ownOf(theirs).filter((element) => element !== theirBar));
    document.title = page.title;
    return true;
  }
}

function ownOf(player: Element): Element[] {
  const all = [...(player.parentElement?.children ?? [])];
  const bar = all.filter((element) => element.matches(".daybar"));
  return [...bar, ...all.slice(all.indexOf(player) + 1)];
}

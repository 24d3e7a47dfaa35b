import { createLivePlayer, type LivePlayer } from "./live-player.ts";

/** One camera on the wall: its newest picture, and over it its live stream while somebody wants and sees it. */
export class WallTile {
  readonly element: HTMLElement;
  readonly cameraId: string;
  isVisible = false;
  /** When its picture was asked for last, and when it came, in monotonic ms. */
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #cameAtMs = Number.NEGATIVE_INFINITY;
  #live: { player: LivePlayer; video: HTMLVideoElement } | undefined;

  constructor(element: HTMLElement) {
    this.element = element;
    this.cameraId = element.dataset.camera ?? "";
  }

  get isWatchable(): boolean {
    return this.element.dataset.watchable !== undefined;
  }

  get picture(): HTMLElement {
    return this.element.querySelector<HTMLElement>(".picture") ?? this.element;
  }

  get isLive(): boolean {
    return this.#live !== undefined;
  }

  get pictureAgeMs(): number {
    return performance.now() - this.#askedAtMs;
  }

  startLive(label: string): void {
    if (this.#live) return;
    const video = document.createElement("video");
    video.muted = true;
    video.playsInline = true;
    video.disablePictureInPicture = true;
    video.setAttribute("aria-label", label);
    this.picture.prepend(video);
    const address = `/api/cameras/${encodeURIComponent(this.cameraId)}/live`;
    const player = createLivePlayer(video, address, (state) => {
      this.element.dataset.state = state;
    });
    this.#live = { player, video };
    player.start();
  }

  stopLive(): void {
    if (!this.#live) return;
    const { player, video } = this.#live;
    this.#live = undefined;
    player.stop();
    video.remove();
    delete this.element.dataset.state;
  }

  /** Fetches what the camera saw last from its node. Rejects when there is none. */
  async refreshPicture(): Promise<void> {
    this.#askedAtMs = performance.now();
    const before = this.picture.querySelector("img");
    const image = new Image(320, 180);
    image.alt = before?.alt ?? this.element.querySelector("h2")?.textContent ?? "";
    // A name of its own: browsers do not ask again for an image that the page has.
    image.src = `/api/cameras/${encodeURIComponent(this.cameraId)}/snapshot?at=${Math.round(this.#askedAtMs)}`;
    await image.decode();
    this.#cameAtMs = performance.now();
    const old = this.picture.querySelector("img, .picture > .muted");
    if (old) old.replaceWith(image);
    else this.picture.prepend(image);
  }

  /** Takes over what the hub says now. The words stay while a person is at them. */
  update(now: HTMLElement): void {
    const [words, newWords] = [this.element.querySelector(".card-body"), now.querySelector(".card-body")];
    if (words && newWords && words.innerHTML !== newWords.innerHTML && !words.matches(":focus-within")) {
      words.replaceWith(newWords);
    }
    const wasWatchable = this.isWatchable;
    this.element.toggleAttribute("data-watchable", now.dataset.watchable !== undefined);
    const image = now.querySelector("img");
    const shown = this.picture.querySelector("img");
    // What came from the node is newer than what is in the archive, while it comes.
    const isFromNode = wasWatchable && this.isWatchable && performance.now() - this.#cameAtMs < 120_000;
    if (!image || isFromNode || shown?.getAttribute("src") === image.getAttribute("src")) return;
    const old = this.picture.querySelector("img, .picture > .muted");
    if (old) old.replaceWith(image);
  }
}

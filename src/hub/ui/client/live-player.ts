import { canPlay, type LiveStream, openLiveStream } from "./live-stream.ts";

/**
 * `stopped`: the camera is paused. `away`: its node cannot be reached. `lost`: the hub cannot be. `unsupported`: the browser
 * cannot play what it sends.
 */
export type LiveState = "connecting" | "playing" | "stopped" | "away" | "lost" | "unsupported";

export interface LivePlayer {
  /** Watches again after `stop`; repeatable. */
  start(): void;
  /** The hub sends no more; what is shown stays. Repeatable. */
  stop(): void;
}

const playlistType = "application/vnd.apple.mpegurl";
/** Of a picture that should move: so long, or three times as long as between its last two fragments. */
const leastSilentMs = 12_000;
const lookMs = 3_000;
/** Between two tries to connect; the first comes sooner. A hub that is started again is soon there. */
const longestWaitMs = 5_000;
/** That a connection ended without a word (RFC 6455 section 7.1.5). */
const deadCode = 1006;

/**
 * Shows a camera as it is now. Fragments come by the WebSocket at `address` and go into the video element as they are;
 * players without MSE get `address`.m3u8. It connects again by itself.
 */
export function createLivePlayer(
  video: HTMLVideoElement,
  address: string,
  onState: (state: LiveState) => void,
): LivePlayer {
  let state: LiveState | undefined;
  const show = (next: LiveState) => {
    if (next !== state) onState(next);
    state = next;
  };
  const player = globalThis.MediaSource
    ? new SocketPlayer(video, address, show)
    : new PlaylistPlayer(video, `${address}.m3u8`, show);
  video.addEventListener("timeupdate", () => {
    if (player.isComing && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) show("playing");
  });
  return player;
}

class SocketPlayer implements LivePlayer {
  readonly #video: HTMLVideoElement;
  readonly #address: string;
  readonly #show: (state: LiveState) => void;
  #socket: WebSocket | undefined;
  #stream: LiveStream | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #look: ReturnType<typeof setInterval> | undefined;
  #isWanted = false;
  #tries = 0;
  #heardAtMs = 0;
  #pauseMs = 0;
  /** Fragments come: what plays is now, and not what is left in the buffer of a camera that has gone. */
  isComing = false;

  constructor(video: HTMLVideoElement, address: string, show: (state: LiveState) => void) {
    this.#video = video;
    this.#address = address;
    this.#show = show;
    video.addEventListener("error", () => this.#socket?.close());
  }

  start(): void {
    if (this.#isWanted) return;
    this.#isWanted = true;
    this.#tries = 0;
    this.#show("connecting");
    this.#look = setInterval(() => this.#noticeSilence(), lookMs);
    this.#connect();
  }

  stop(): void {
    this.#isWanted = false;
    this.isComing = false;
    clearTimeout(this.#retry);
    clearInterval(this.#look);
    const mine = this.#socket;
    this.#socket = undefined;
    mine?.close();
  }

  #connect(): void {
    const mine = new WebSocket(new URL(this.#address, location.href.replace(/^http/, "ws")));
    mine.binaryType = "arraybuffer";
    this.#socket = mine;
    this.#stream = undefined;
    mine.addEventListener("message", ({ data }) => {
      if (this.#socket === mine) this.#hear(data, mine);
    });
    mine.addEventListener("close", ({ code }) => {
      if (this.#socket === mine) this.#lost(code);
    });
  }

  #hear(data: string | ArrayBuffer, mine: WebSocket): void {
    const nowMs = performance.now();
    this.#pauseMs = nowMs - this.#heardAtMs;
    this.#heardAtMs = nowMs;
    if (typeof data !== "string") {
      this.isComing = true;
      if (this.#stream && !this.#stream.add(data)) mine.close();
      return;
    }
    const said = JSON.parse(data);
    this.isComing = false;
    if (said.type === "away") this.#show("away");
    if (said.type === "stopped") {
      // The last picture does not stay either.
      this.#stream = undefined;
      this.#video.removeAttribute("poster");
      clear(this.#video);
      this.#show("stopped");
    }
    if (said.type !== "init") return;
    this.#tries = 0;
    if (canPlay(said.codecs)) this.#stream = openLiveStream(this.#video, said.codecs);
    else {
      this.#show("unsupported");
      this.stop();
    }
  }

  #lost(code: number): void {
    this.#socket = undefined;
    this.isComing = false;
    if (!this.#isWanted) return;
    // Signed out: the hub shows where to sign in.
    if (code === 4004) location.reload();
    // A connection that breaks is soon there again; where it is not, it is the hub that is not there.
    this.#show(this.#tries === 0 ? "connecting" : "lost");
    const waitMs = Math.min(longestWaitMs, 1000 * 2 ** this.#tries++) * (0.5 + Math.random() / 2);
    this.#retry = setTimeout(() => void this.#connectAgain(), waitMs);
  }

  /** Browsers hold a WebSocket back, the longer the more have failed: a hub that is away is asked otherwise. */
  async #connectAgain(): Promise<void> {
    const before = this.#retry;
    const isThere = await fetch("/api/health/live", { signal: AbortSignal.timeout(longestWaitMs) }).then(
      ({ status }) => status < 500,
      () => false,
    );
    // Stopped, or begun anew, meanwhile.
    if (!this.#isWanted || this.#socket !== undefined || this.#retry !== before) return;
    if (isThere) this.#connect();
    else this.#lost(deadCode);
  }

  #noticeSilence(): void {
    const silentMs = performance.now() - this.#heardAtMs;
    if (!this.isComing || silentMs < Math.max(leastSilentMs, 3 * this.#pauseMs)) return;
    // Of a camera that fell silent the hub would have told: it is the connection that is dead, as after a phone slept.
    const dead = this.#socket;
    this.#lost(deadCode);
    dead?.close();
  }
}

/** For browsers that play HLS by themselves and have no MSE, as iPhones. */
class PlaylistPlayer implements LivePlayer {
  readonly #video: HTMLVideoElement;
  readonly #address: string;
  readonly #show: (state: LiveState) => void;
  #retry: ReturnType<typeof setTimeout> | undefined;
  isComing = false;

  constructor(video: HTMLVideoElement, address: string, show: (state: LiveState) => void) {
    this.#video = video;
    this.#address = address;
    this.#show = show;
    video.addEventListener("error", () => this.#lost());
    video.addEventListener("ended", () => this.#lost());
  }

  start(): void {
    if (this.isComing) return;
    if (this.#video.canPlayType(playlistType) === "") {
      this.#show("unsupported");
      return;
    }
    this.#show("connecting");
    this.isComing = true;
    this.#video.src = this.#address;
    this.#video.play().catch(() => {});
  }

  stop(): void {
    clearTimeout(this.#retry);
    if (!this.isComing) return;
    this.isComing = false;
    // Else the browser would read the playlist on.
    clear(this.#video);
  }

  #lost(): void {
    if (!this.isComing) return;
    this.stop();
    this.#show("away");
    this.#retry = setTimeout(() => this.start(), 5_000);
  }
}

function clear(video: HTMLVideoElement): void {
  video.removeAttribute("src");
  video.load();
}

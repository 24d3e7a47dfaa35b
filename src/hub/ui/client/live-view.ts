// A camera as it is now. Fragments come by a WebSocket and go into the video element as they are; what is too old to be
// "now" is jumped over. While the page is hidden nobody watches, and the camera's node sends nothing.

const maxBehindSeconds = 3;
const keptSeconds = 10;
const hiddenMs = 10_000;

type Stream = {
  /** False when the browser does not keep up. */
  add(bytes: ArrayBuffer): boolean;
};

/** Takes init segment and fragments of one run; undefined for what the browser cannot play. */
function openStream(video: HTMLVideoElement, codecs: string): Stream | undefined {
  const type = `video/mp4; codecs="${codecs}"`;
  if (!globalThis.MediaSource?.isTypeSupported(type)) return undefined;
  const source = new MediaSource();
  const queue: ArrayBuffer[] = [];
  let buffer: SourceBuffer | undefined;
  const pump = () => {
    if (!buffer || buffer.updating || source.readyState !== "open") return;
    const { buffered } = buffer;
    const old = video.currentTime - keptSeconds;
    if (buffered.length > 0 && buffered.start(0) < old - keptSeconds) buffer.remove(0, old);
    else {
      const next = queue.shift();
      if (next) buffer.appendBuffer(next);
    }
  };
  const chase = ({ buffered }: SourceBuffer) => {
    const last = buffered.length - 1;
    if (last < 0) return;
    const [start, end] = [buffered.start(last), buffered.end(last)];
    // At first, after fragments that were missed, and after a pause.
    if (video.currentTime < start || end - video.currentTime > maxBehindSeconds) {
      video.currentTime = Math.max(start, end - 1);
    }
    if (video.paused) video.play().catch(() => {});
  };
  source.addEventListener("sourceopen", () => {
    URL.revokeObjectURL(video.src);
    const made = source.addSourceBuffer(type);
    buffer = made;
    made.addEventListener("updateend", () => {
      // Another run, or nothing, may have taken its place while it took a fragment.
      if (source.readyState !== "open") return;
      chase(made);
      pump();
    });
    pump();
  });
  video.src = URL.createObjectURL(source);
  return {
    add(bytes) {
      queue.push(bytes);
      pump();
      return queue.length < 30;
    },
  };
}

function watchLive(view: HTMLElement, video: HTMLVideoElement): void {
  /** `connecting`, `playing`, `stopped`, `away` or `unsupported`: the page says something else in each. */
  const show = (state: string) => {
    view.dataset.state = state;
  };
  let socket: WebSocket | undefined;
  let tries = 0;
  /** Fragments come: what plays is now, and not what is left in the buffer of a camera that has gone. */
  let isComing = false;

  const watch = () => {
    if (socket) return;
    const mine = new WebSocket(new URL(view.dataset.live ?? "", location.href.replace(/^http/, "ws")));
    mine.binaryType = "arraybuffer";
    socket = mine;
    let stream: Stream | undefined;
    mine.addEventListener("message", ({ data }) => {
      if (typeof data !== "string") {
        isComing = true;
        if (stream && !stream.add(data)) mine.close();
        return;
      }
      const said = JSON.parse(data);
      isComing = false;
      if (said.type === "away") show("away");
      if (said.type === "stopped") {
        // The last picture does not stay either.
        stream = undefined;
        video.removeAttribute("poster");
        video.removeAttribute("src");
        video.load();
        show("stopped");
      }
      if (said.type !== "init") return;
      tries = 0;
      stream = openStream(video, said.codecs);
      if (!stream) {
        show("unsupported");
        mine.close();
      }
    });
    mine.addEventListener("close", ({ code }) => {
      if (socket !== mine) return;
      socket = undefined;
      isComing = false;
      if (view.dataset.state === "unsupported" || document.hidden) return;
      // Signed out: the hub shows where to sign in.
      if (code === 4004) location.reload();
      if (view.dataset.state === "playing") show("connecting");
      setTimeout(watch, Math.min(15_000, 1000 * 2 ** tries++) * (0.5 + Math.random() / 2));
    });
  };

  const leave = () => {
    const mine = socket;
    socket = undefined;
    mine?.close();
  };

  let hiding: ReturnType<typeof setTimeout> | undefined;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(leave, hiddenMs);
    else if (view.dataset.state !== "unsupported") watch();
  });
  video.addEventListener("timeupdate", () => {
    if (isComing && video.readyState >= 2) show("playing");
  });
  video.addEventListener("error", () => socket?.close());
  watch();
}

const view = document.querySelector<HTMLElement>("[data-live]");
const video = view?.querySelector("video");
if (view && video) watchLive(view, video);

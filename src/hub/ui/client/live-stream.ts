import { LiveDelay } from "./live-delay.ts";

export interface LiveStream {
  /** False when the browser does not keep up. */
  add(bytes: ArrayBuffer): boolean;
}

/** Behind what is shown, or behind the newest while a person has paused it. */
const keptSeconds = 10;
const maxQueued = 30;

export function canPlay(codecs: string): boolean {
  return globalThis.MediaSource?.isTypeSupported(typeOf(codecs)) ?? false;
}

const typeOf = (codecs: string) => `video/mp4; codecs="${codecs}"`;

/** Takes init segment and fragments of one run that {@link canPlay}, and shows them as late as they have to be. */
export function openLiveStream(video: HTMLVideoElement, codecs: string): LiveStream {
  const source = new MediaSource();
  const queue: ArrayBuffer[] = [];
  const delay = new LiveDelay();
  let buffer: SourceBuffer | undefined;
  /** Where the buffer ended before the fragment that is being added, and what of it was still to play. */
  let before: { end: number; spare: number } | undefined;

  const pump = () => {
    if (!buffer || buffer.updating || source.readyState !== "open") return;
    const { buffered } = buffer;
    const last = buffered.length - 1;
    const start = last < 0 ? 0 : buffered.start(0);
    const end = last < 0 ? 0 : buffered.end(last);
    const old = Math.max(video.currentTime, end - 2 * keptSeconds) - keptSeconds;
    if (last >= 0 && start < old - keptSeconds) {
      buffer.remove(0, old);
      return;
    }
    const next = queue.shift();
    if (!next) return;
    before = last < 0 ? undefined : { end, spare: Math.max(0, end - video.currentTime) };
    buffer.appendBuffer(next);
  };

  const follow = ({ buffered }: SourceBuffer) => {
    const last = buffered.length - 1;
    if (last < 0) return;
    const [start, end] = [buffered.start(last), buffered.end(last)];
    const grown = before ? end - before.end : 0;
    const spare = before?.spare ?? 0;
    before = undefined;
    // At first, after fragments that were missed, and after a pause that was longer than what is kept.
    if (video.currentTime < start) video.currentTime = start;
    else if (grown > 0.01 && !video.paused && queue.length === 0) {
      const { jumpSeconds, rate } = delay.next(spare, grown);
      if (jumpSeconds > 0) video.currentTime = Math.min(end, video.currentTime + jumpSeconds);
      video.playbackRate = rate;
    }
  };

  source.addEventListener("sourceopen", () => {
    URL.revokeObjectURL(video.src);
    const made = source.addSourceBuffer(typeOf(codecs));
    buffer = made;
    made.addEventListener("updateend", () => {
      // Another run, or nothing, may have taken its place while it took a fragment.
      if (source.readyState !== "open") return;
      follow(made);
      pump();
    });
    pump();
  });
  video.src = URL.createObjectURL(source);
  video.play().catch(() => {});
  return {
    add(bytes) {
      queue.push(bytes);
      pump();
      return queue.length < maxQueued;
    },
  };
}

// Functions that run inside the browser: each is sent as text, so it may use nothing but the page.

export function look() {
  return {
    language: document.documentElement.lang,
    heading: document.querySelector("h1")?.textContent ?? "",
    overflow: document.documentElement.scrollWidth - innerWidth,
    ground: getComputedStyle(document.body).backgroundColor,
    brokenImages: [...document.images].filter((image) => image.complete && image.naturalWidth === 0).length,
  };
}

export function countFocusable() {
  const found = document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, summary, video, [role=slider]",
  );
  return [...found].filter((element) => element.checkVisibility({ checkVisibilityCSS: true })).length;
}

export function lookAtFocus() {
  const element = document.activeElement;
  if (!element || element === document.body) return undefined;
  // A card or tile that is one link shows the focus on its frame or picture.
  const frame = element.closest(".camera, .tile");
  const shown = [element, frame, frame?.querySelector(".picture")].filter((one) => one);
  return {
    index: [...document.querySelectorAll("*")].indexOf(element),
    // Browsers mark their own controls inside the video.
    isMarked: element.matches("video") || shown.some((one) => getComputedStyle(one).outlineStyle !== "none"),
    html: element.outerHTML.slice(0, 200),
  };
}

export function focusedId() {
  return document.activeElement?.id;
}

export async function playAndSeek(times) {
  const video = document.querySelector("video");
  const nextFrame = () =>
    new Promise((resolve) => video.requestVideoFrameCallback((_, { mediaTime }) => resolve(mediaTime)));
  video.muted = true;
  const firstFrame = nextFrame();
  await video.play();
  const played = [await firstFrame];
  while (played.at(-1) < 0.5) played.push(await nextFrame());
  video.pause();
  const shown = [];
  for (const time of times) {
    const frame = nextFrame();
    video.currentTime = time;
    shown.push(await frame);
  }
  const { videoWidth: width, videoHeight: height, duration } = video;
  return {
    width,
    height,
    duration,
    played,
    shown,
    corrupted: video.getVideoPlaybackQuality().corruptedVideoFrames,
  };
}

export async function playFrom(time) {
  const video = document.querySelector("video");
  video.dataset.mark = "same element";
  video.muted = true;
  await video.play();
  video.currentTime = time;
}

export function playsOnInSameElement() {
  const video = document.querySelector("video");
  return video.dataset.mark === "same element" && video.currentTime > 0.3 && !video.paused;
}

export function seekTo(time) {
  document.querySelector("video").currentTime = time;
}

export function hasEnded() {
  return document.querySelector("video").ended;
}

export function showsOtherPicture(before) {
  return document.querySelector(".camera img")?.getAttribute("src") !== before;
}

export async function openHls(address) {
  document.body.innerHTML = "<video muted></video>";
  const video = document.querySelector("video");
  const hls = new Hls({ enableWorker: false, maxBufferLength: 60 });
  window.player = { hls, errors: [], waits: [] };
  hls.on(Hls.Events.ERROR, (_, { details, fatal }) => window.player.errors.push(`${details} ${fatal}`));
  hls.loadSource(address);
  hls.attachMedia(video);
  await new Promise((resolve) => video.addEventListener("canplay", resolve, { once: true }));
  // Where the playlist says that it begins, hls.js seeks once the first part is there.
  while (video.seeking || video.currentTime < hls.startPosition) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  video.addEventListener("waiting", () => window.player.waits.push(video.currentTime));
  return { duration: video.duration, time: video.currentTime, date: hls.playingDate?.toISOString() };
}

export async function playHls(rate) {
  const video = document.querySelector("video");
  video.playbackRate = rate;
  const ended = new Promise((resolve) => video.addEventListener("ended", resolve, { once: true }));
  await video.play();
  await ended;
  const { errors, waits, hls } = window.player;
  const { totalVideoFrames: frames, corruptedVideoFrames: corrupted } = video.getVideoPlaybackQuality();
  const ranges = Array.from({ length: video.buffered.length }, (_, i) => [
    video.buffered.start(i),
    video.buffered.end(i),
  ]);
  const date = hls.playingDate?.toISOString();
  return { errors, waits, frames, corrupted, ranges, time: video.currentTime, date };
}

export async function seekHls(time) {
  const video = document.querySelector("video");
  const frame = new Promise((resolve) =>
    video.requestVideoFrameCallback((_, shown) => resolve(shown.mediaTime)),
  );
  video.currentTime = time;
  return { shown: await frame, date: window.player.hls.playingDate?.toISOString() };
}

/** Loads parts in changing qualities, from the highest on, tells in which each was, then plays. */
export async function playMixedHls(address) {
  document.body.innerHTML = "<video muted></video>";
  const video = document.querySelector("video");
  const errors = [];
  const heights = [];
  let asked = 0;
  // A part that has to be transcoded may take its time.
  const patience = {
    maxTimeToFirstByteMs: 60_000,
    maxLoadTimeMs: 60_000,
    errorRetry: null,
    timeoutRetry: null,
  };
  // Asked before each part, as it would be with a bandwidth that changes.
  class AlternatingAbr extends Hls.DefaultConfig.abrController {
    get nextAutoLevel() {
      const { length } = hls.levels;
      return length - 1 - (asked % length);
    }
    set nextAutoLevel(_level) {}
  }
  const hls = new Hls({
    ...{ enableWorker: false, maxBufferLength: 60, fragLoadPolicy: { default: patience } },
    abrController: AlternatingAbr,
  });
  hls.on(Hls.Events.ERROR, (_, { details, fatal }) => errors.push(`${details} ${fatal}`));
  hls.on(Hls.Events.FRAG_LOADING, (_, { frag }) => {
    if (!Number.isInteger(frag.sn)) return;
    heights[frag.sn] = hls.levels[frag.level].height;
    asked++;
  });
  hls.loadSource(address);
  hls.attachMedia(video);
  await new Promise((resolve) => hls.once(Hls.Events.BUFFER_EOS, resolve));
  const ranges = Array.from({ length: video.buffered.length }, (_, i) => [
    video.buffered.start(i),
    video.buffered.end(i),
  ]);
  const waits = [];
  video.addEventListener("waiting", () => waits.push(video.currentTime));
  video.playbackRate = 4;
  const ended = new Promise((resolve) => video.addEventListener("ended", resolve, { once: true }));
  await video.play();
  await ended;
  const { totalVideoFrames: frames, corruptedVideoFrames: corrupted } = video.getVideoPlaybackQuality();
  return { errors, heights, ranges, waits, frames, corrupted, duration: video.duration };
}

export async function openShaka(address) {
  document.body.innerHTML = "<video muted></video>";
  const video = document.querySelector("video");
  const player = new shaka.Player();
  await player.attach(video);
  window.player = { player, errors: [], waits: [] };
  player.addEventListener("error", ({ detail }) => window.player.errors.push(`${detail.code}`));
  // It takes what stands before the first colon of a relative address for a scheme.
  await player.load(new URL(address, location.href).href);
  while (video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  video.addEventListener("waiting", () => window.player.waits.push(video.currentTime));
  return { duration: video.duration, time: video.currentTime };
}

export async function playShaka(rate) {
  const video = document.querySelector("video");
  video.playbackRate = rate;
  const ended = new Promise((resolve) => video.addEventListener("ended", resolve, { once: true }));
  await video.play();
  await ended;
  const { errors, waits } = window.player;
  const { totalVideoFrames: frames, corruptedVideoFrames: corrupted } = video.getVideoPlaybackQuality();
  const ranges = Array.from({ length: video.buffered.length }, (_, i) => [
    video.buffered.start(i),
    video.buffered.end(i),
  ]);
  return { errors, waits, frames, corrupted, ranges, time: video.currentTime };
}

export async function playLiveHls({ address, seconds }) {
  document.body.innerHTML = "<video muted></video>";
  const video = document.querySelector("video");
  const hls = new Hls({ enableWorker: false });
  const errors = [];
  hls.on(Hls.Events.ERROR, (_, { details, fatal }) => errors.push(`${details} ${fatal}`));
  hls.loadSource(address);
  hls.attachMedia(video);
  await video.play();
  const from = video.currentTime;
  while (video.currentTime < from + seconds && errors.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const played = {
    errors,
    lateMs: Date.now() - hls.playingDate?.getTime(),
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
  };
  hls.destroy();
  return played;
}

export function livePlays() {
  const video = document.querySelector("[data-live][data-state=playing] video");
  return video !== null && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 20;
}

export function liveShowsNothing() {
  const video = document.querySelector("[data-live] video");
  return video.videoWidth === 0 && !video.hasAttribute("poster") && !video.hasAttribute("src");
}

/** As when another tab is in front, or the page is again. */
export function hidePage(isHidden) {
  Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
  document.dispatchEvent(new Event("visibilitychange"));
}

export function screenSize() {
  return { width: innerWidth, height: innerHeight };
}

export function leaveFullScreen() {
  return document.exitFullscreen();
}

export function lookAtWall() {
  const wall = document.querySelector("[data-wall]");
  return {
    columns: getComputedStyle(wall).gridTemplateColumns.split(" ").length,
    playing: [...wall.querySelectorAll("[data-state=playing]")].map(({ dataset }) => dataset.camera),
    pressed: [...wall.querySelectorAll("[data-tile=live][aria-pressed=true]")].length,
  };
}

export function wallPlays(count) {
  const videos = [...document.querySelectorAll("[data-wall] [data-state=playing] video")];
  return (
    videos.length === count && videos.every((video) => video.getVideoPlaybackQuality().totalVideoFrames > 3)
  );
}

/** Plays in changing qualities, each as long as it takes to load the next part. */
export async function playMixedShaka(address) {
  document.body.innerHTML = "<video muted></video>";
  const video = document.querySelector("video");
  const player = new shaka.Player();
  await player.attach(video);
  const errors = [];
  const shown = new Set();
  player.addEventListener("error", ({ detail }) => errors.push(`${detail.code}`));
  // A part that has to be transcoded may take its time.
  player.configure({
    abr: { enabled: false },
    streaming: { bufferingGoal: 8, retryParameters: { timeout: 60_000 } },
  });
  player.addEventListener("segmentappended", () => {
    const other = player.getVariantTracks().find(({ active }) => !active);
    if (other) player.selectVariantTrack(other, false);
  });
  await player.load(new URL(address, location.href).href);
  video.addEventListener("resize", () => shown.add(video.videoHeight));
  video.playbackRate = 2;
  const ended = new Promise((resolve) => video.addEventListener("ended", resolve, { once: true }));
  await video.play();
  await ended;
  const { totalVideoFrames: frames, corruptedVideoFrames: corrupted } = video.getVideoPlaybackQuality();
  const offered = player.getVariantTracks().map(({ height }) => height);
  return { errors, offered, shown: [...shown], frames, corrupted, time: video.currentTime };
}

/** What is folded may hide what is wrong. */
export function openAll() {
  for (const details of document.querySelectorAll("details")) details.open = true;
}

/** As in a browser whose font size is set to 32 pixels. */
export function enlargeText() {
  document.documentElement.style.fontSize = "200%";
}

export function focusMatches(selector) {
  return document.activeElement?.matches(selector) ?? false;
}

/** What is drawn with the next frame is there then. */
export async function nextFrame() {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
}

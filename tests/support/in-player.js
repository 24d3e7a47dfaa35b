// Functions that run inside the page of the player: each is sent as text, so it may use nothing but the page.

export function hasPicture() {
  const { stage } = document.querySelector("livecam-player");
  return stage !== undefined && stage.video.readyState >= 2 && !stage.video.seeking;
}

export function atMs() {
  return document.querySelector("livecam-player").stage.atMs;
}

export function isAt(wallMs) {
  const { stage } = document.querySelector("livecam-player");
  return Math.abs(stage.atMs - wallMs) < 150 && !stage.video.seeking && stage.video.readyState >= 2;
}

export function isPast(wallMs) {
  const { stage } = document.querySelector("livecam-player");
  return stage.atMs >= wallMs && !stage.video.seeking;
}

export function isBefore(wallMs) {
  return document.querySelector("livecam-player").stage.atMs < wallMs;
}

export function seek(wallMs) {
  void document.querySelector("livecam-player").seek(wallMs);
}

/** What was loaded is still there. */
export function keepsPicture() {
  const { stage } = document.querySelector("livecam-player");
  return !stage.hasFailed && stage.video.videoWidth > 0;
}

export function isPlaying() {
  return document.querySelector("livecam-player").shuttle.isPlaying;
}

export function isInStep(ms) {
  const offs = document.querySelector("livecam-player").inStep.offsMs;
  return offs.every((off) => off !== undefined && Math.abs(off) < ms);
}

export function figures() {
  const { stage } = document.querySelector("livecam-player");
  const { error } = stage.video;
  return { ...stage.frames.figures, errors: error === null ? [] : [error.message] };
}

/** At ten frames a second. */
export function shownFrame() {
  return Math.round(document.querySelector("livecam-player").stage.frames.shownSeconds * 10);
}

export function showsFrame(frame) {
  return Math.round(document.querySelector("livecam-player").stage.frames.shownSeconds * 10) === frame;
}

/** After a seek, the frame that is seen comes a moment later. */
export function showsWhereItIs() {
  const { video, frames } = document.querySelector("livecam-player").stage;
  return !video.seeking && Math.abs(frames.shownSeconds - video.currentTime) < 0.15;
}

export function noteSays(text) {
  return document.querySelector("[data-part=note]").textContent.startsWith(text);
}

export function zoomTo([fromMs, toMs]) {
  document.querySelector("livecam-player").timeline.view = { fromMs, toMs };
}

export function xOf(wallMs) {
  const { fromMs, toMs } = document.querySelector("livecam-player").timeline.view;
  return ((wallMs - fromMs) / (toMs - fromMs)) * document.querySelector(".surface").clientWidth;
}

export function overflow() {
  return document.documentElement.scrollWidth - innerWidth;
}

export function addressIsOfWhatIsSeen() {
  const at = Date.parse(new URL(location.href).searchParams.get("at"));
  return Math.abs(document.querySelector("livecam-player").stage.atMs - at) < 5;
}

export function hasFirstFrames(count) {
  return document.querySelector("livecam-player").stage.frames.figures.firstFrames.length >= count;
}

/** From 0 to 1 of the video; in ms until each is seen. */
export async function seekBare(shares) {
  const video = document.querySelector("video");
  if (video.readyState < 2) await new Promise((resolve) => video.addEventListener("loadeddata", resolve));
  const taken = [];
  for (const share of shares) {
    const startedAt = performance.now();
    const seen = new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    video.currentTime = share * (video.duration - 1);
    taken.push((await seen) - startedAt);
  }
  return taken;
}

export function qualityIs(name) {
  return document.querySelector("[data-part=quality]").value === name;
}

export function mark() {
  document.querySelector("livecam-player").dataset.mark = "same element";
}

export function isMarked() {
  return document.querySelector("livecam-player").dataset.mark === "same element";
}

export function titleSays(text) {
  return document.title.includes(text);
}

export function view() {
  return document.querySelector("livecam-player").timeline.view;
}

export function height() {
  return innerHeight;
}

export function scrolled() {
  return scrollY;
}

export function isScrolled() {
  return scrollY > 20;
}

/** Behind now, so that it is of something that was seen. */
const recordedBehindMs = 3_000;

/** The buttons and links under a live picture. */
export function listenForLiveTools(video: HTMLVideoElement): void {
  const tools = document.querySelector<HTMLElement>("[data-live-tools]");
  const cameraId = tools?.dataset.liveTools ?? "";
  const tool = <T extends HTMLElement>(name: string) => tools?.querySelector<T>(`[data-tool=${name}]`);

  const save = tool<HTMLAnchorElement>("save");
  save?.addEventListener("click", () => {
    save.download = `${cameraId}_${fileTimeOf(new Date(nowMs()))}.jpg`;
  });

  const recorded = tool<HTMLAnchorElement>("recorded");
  // Also for who opens it in another tab, or copies it.
  const aim = () => {
    const at = new Date(nowMs() - recordedBehindMs).toISOString();
    if (recorded) recorded.href = `/cameras/${encodeURIComponent(cameraId)}?${new URLSearchParams({ at })}`;
  };
  for (const event of ["pointerdown", "keydown", "focus"]) recorded?.addEventListener(event, aim);

  const float = tool<HTMLButtonElement>("float");
  if (float) float.hidden = !document.pictureInPictureEnabled;
  float?.addEventListener("click", () => {
    if (document.pictureInPictureElement === video) void document.exitPictureInPicture();
    // Refused while there is no picture yet.
    else video.requestPictureInPicture().catch(() => {});
  });

  const full = tool<HTMLButtonElement>("full");
  if (full) full.hidden = !document.fullscreenEnabled;
  full?.addEventListener("click", () => {
    video.requestFullscreen().catch(() => {});
  });
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** By the clock on this person's wall: `20250923_153000`. */
function fileTimeOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("");
  return `${day}_${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join("")}`;
}

// Runs inside the browser: it is sent as text, so it may use nothing but the page.

/** Reads the clock in the picture from frame to frame; each as late as it is when the browser shows it. */
export async function measureLive({ layout, cells, seconds }) {
  const video = document.querySelector("[data-live] video");
  const canvas = new OffscreenCanvas(cells, 1);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingEnabled = false;
  const { x, y, cellWidth, cellHeight } = layout;
  const readClock = () => {
    context.drawImage(video, x, y, cells * cellWidth, cellHeight, 0, 0, cells, 1);
    const { data } = context.getImageData(0, 0, cells, 1);
    const middle = (data[0] + data[4]) / 2;
    let clock = 0;
    for (let cell = 2; cell < cells; cell++) clock = clock * 2 + (data[cell * 4] > middle ? 1 : 0);
    return data[0] - data[4] > 100 ? clock : undefined;
  };
  const nextFrame = () =>
    new Promise((resolve) => video.requestVideoFrameCallback((_, frame) => resolve(frame)));
  const delays = [];
  const waitsAtMs = [];
  let firstMs;
  let until = Number.POSITIVE_INFINITY;
  while (performance.now() < until) {
    const { expectedDisplayTime } = await nextFrame();
    const clock = readClock();
    if (firstMs === undefined) {
      firstMs = expectedDisplayTime;
      until = performance.now() + seconds * 1000;
      // It waits for a moment where it jumps to, too, which is at the beginning alone.
      video.addEventListener("waiting", () => {
        if (!video.seeking) waitsAtMs.push(performance.now() - firstMs);
      });
    }
    const round = 2 ** (cells - 2);
    const shown = Math.round(performance.timeOrigin + expectedDisplayTime) % round;
    if (clock !== undefined)
      delays.push({ atMs: expectedDisplayTime - firstMs, ms: (shown - clock + round) % round });
    // Some frames a second are enough: reading them costs the browser time that it needs to play.
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  return { delays, waitsAtMs, firstMs };
}

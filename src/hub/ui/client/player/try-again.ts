import type { CameraStage } from "./camera-stage.ts";

const retryMs = 3_000;

/** A hub that is started again, or a network that was away, needs no person at each page: what failed is shown again. */
export function createRetries(signal: AbortSignal): (stage: CameraStage, wasPlaying: boolean) => void {
  const waiting = new Map<CameraStage, ReturnType<typeof setTimeout>>();
  signal.addEventListener("abort", () => {
    for (const timer of waiting.values()) clearTimeout(timer);
  });
  const tryAgain = (stage: CameraStage, wasPlaying: boolean) => {
    // Somebody may have chosen another moment meanwhile.
    if (stage.atMs === undefined || !stage.hasFailed) return;
    stage.show(stage.atMs);
    if (wasPlaying) stage.video.play().catch(() => {});
  };
  return (stage, wasPlaying) => {
    clearTimeout(waiting.get(stage));
    waiting.set(
      stage,
      setTimeout(() => tryAgain(stage, wasPlaying), retryMs),
    );
  };
}

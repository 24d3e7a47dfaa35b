import type { CameraStage } from "./camera-stage.ts";
import { qualitiesIn } from "./qualities-in.ts";
import { isoOf } from "./timeline-data.ts";

/** Names of the qualities that there are of a moment; none when the hub does not say. */
export async function findQualities(cameraId: string, atMs: number): Promise<string[]> {
  const range = new URLSearchParams({ from: isoOf(atMs), to: isoOf(atMs + 1_000) });
  const response = await fetch(`/api/cameras/${cameraId}/master.m3u8?${range}`).catch(() => undefined);
  return response?.ok ? qualitiesIn(await response.text()) : [];
}

/** Offers what else than the recorded quality there is of what a stage shows. `source`: what the recorded one is called. */
export async function fillQualities(
  menu: HTMLSelectElement,
  stage: CameraStage,
  source: string,
): Promise<void> {
  const names = await findQualities(stage.cameraId, stage.atMs ?? 0);
  if (names.length === 0) return;
  menu.replaceChildren(
    ...names.map(
      (name) =>
        new Option(
          name === "source" ? source : name.replace("h264", "H.264"),
          name,
          false,
          name === stage.quality,
        ),
    ),
  );
}

/** Has a stage play H.264 where the browser does not decode what was recorded; false where there is none. */
export async function fallBackToH264(stage: CameraStage): Promise<boolean> {
  if (stage.quality !== "source" || stage.atMs === undefined) return false;
  const names = await findQualities(stage.cameraId, stage.atMs);
  if (!names.includes("h264")) return false;
  stage.setQuality("h264");
  return true;
}

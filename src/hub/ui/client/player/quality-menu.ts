import { qualitiesIn } from "./qualities-in.ts";
import { isoOf } from "./timeline-data.ts";

/** Offers what else than the recorded quality there is of a moment. */
export async function fillQualities(
  menu: HTMLSelectElement,
  cameraId: string,
  atMs: number,
  source: string,
): Promise<void> {
  const range = new URLSearchParams({ from: isoOf(atMs), to: isoOf(atMs + 1_000) });
  const response = await fetch(`/api/cameras/${cameraId}/master.m3u8?${range}`).catch(() => undefined);
  const names = response?.ok ? qualitiesIn(await response.text()) : [];
  if (names.length === 0) return;
  menu.replaceChildren(
    ...names.map((name) => new Option(name === "source" ? source : name, name, name === "source")),
  );
}

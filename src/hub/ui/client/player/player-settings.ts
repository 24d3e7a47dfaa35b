import type { View } from "./plan-view.ts";
import type { Words } from "./words.ts";

/** What the page tells its player, as JSON in one attribute; times in ms since 1970 UTC. */
export interface PlayerSettings {
  /** The first is the page's own. */
  cameras: readonly { cameraId: string }[];
  timeZone: string;
  /** The day that is shown at first. */
  day: View;
  /** Nothing is older. */
  firstMs: number;
  /** Where to begin; absent where there is nothing to see. */
  atMs?: number;
  /** Where no video says better. */
  fps: number;
  /** Of each cause of a gap: its colour. */
  kinds: Record<string, string>;
  words: Words;
}

export function readSettings(element: HTMLElement): PlayerSettings & { language: string } {
  const settings = JSON.parse(element.dataset.settings ?? "") as PlayerSettings;
  return { ...settings, language: document.documentElement.lang };
}

/** A part of the page that has to be there. */
export function part<E extends HTMLElement = HTMLElement>(root: HTMLElement, name: string): E {
  const found = root.querySelector<E>(`[data-part="${name}"]`);
  if (!found) throw new Error(`the player has no part ${name}`);
  return found;
}

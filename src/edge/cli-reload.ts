import type { ReloadReport } from "../common/protocol/control.ts";
import type { ConfigEffect } from "./reload/config-effects.ts";

/** What was done for each changed setting, in words. */
const effectTexts: Readonly<Record<ConfigEffect, string>> = {
  at_once: "in force",
  next_segment: "from the next segment on",
  next_upload: "from the next upload on",
  camera: "the capture of the camera began anew",
  destination: "uploads go to the new destination",
  hub: "the node introduces itself to the hub again",
  metrics: "metrics are served anew",
  restart: "NEEDS A RESTART of livecam-edge, until then as before",
};

/** For people: one line per setting, aligned, and the version in force. */
export function formatReload({ changes, cameras, config_version }: ReloadReport): string {
  const textOf = ({ path, effect }: ReloadReport["changes"][number]): string => {
    const isOf = (id: string) => path === `cameras.${id}`;
    if (cameras.added.some(isOf)) return "added";
    if (cameras.removed.some(isOf)) return "removed; what it recorded is delivered";
    return effectTexts[effect as ConfigEffect] ?? effect;
  };
  const width = Math.max(0, ...changes.map(({ path }) => path.length));
  const rows = changes.map((change) => `${change.path.padEnd(width)}  ${textOf(change)}\n`).join("");
  return `${rows || "the config has not changed\n"}in force: ${config_version}\n`;
}

import { earliestWallMs } from "../../common/clock.ts";
import { type Finding, ok, warn } from "./finding.ts";

/** More than this between two clocks, and what they recorded together is seen not to fit. */
const maxOffsetMs = 5_000;

export interface ClockFacts {
  wallMs: number;
  /** `system.clock` of the config. */
  source: "ntp" | "trusted";
  /** Undefined where nothing tells. */
  isSynced: boolean | undefined;
  /** The hub's clock; undefined when the hub was not asked or did not answer. */
  hubWallMs: number | undefined;
}

/** Pure. */
export function checkClock({ wallMs, source, isSynced, hubWallMs }: ClockFacts): Finding {
  const check = "clock";
  const advice = "timedatectl set-ntp true, and see that the machine reaches a time server";
  const now = new Date(wallMs).toISOString();
  if (wallMs < earliestWallMs) return warn(check, `it was never set: it says ${now}`, advice);
  // A hub that does not know the time says nothing about ours.
  const aheadOfHubMs = hubWallMs === undefined || hubWallMs < earliestWallMs ? 0 : wallMs - hubWallMs;
  if (Math.abs(aheadOfHubMs) > maxOffsetMs) {
    const seconds = Math.round(Math.abs(aheadOfHubMs) / 1000);
    const side = aheadOfHubMs > 0 ? "ahead of" : "behind";
    return warn(check, `it is ${seconds} s ${side} the hub's`, `${advice}; look at the hub's clock, too`);
  }
  if (source === "trusted") return ok(check, `${now}; the config says that it is right without NTP`);
  if (isSynced === true) return ok(check, `${now}, set by NTP`);
  if (isSynced === undefined) {
    return warn(
      check,
      `${now}; nothing here tells whether NTP has set it`,
      "run systemd-timesyncd or chrony, or say system.clock: trusted",
    );
  }
  return warn(check, `${now}, not set by NTP: recordings are dated anew when it is`, advice);
}

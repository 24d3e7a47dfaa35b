import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as v from "valibot";
import type { Clock } from "../../common/clock.ts";
import type { Boot } from "../spool/clock-anchor.ts";

const BootId = v.pipe(v.string(), v.trim(), v.uuid());
/** Seconds since the boot, to a hundredth. */
const Uptime = v.pipe(v.string(), v.regex(/^\d+(?:\.\d+)? /), v.transform(Number.parseFloat));

/** Undefined where the kernel does not tell; what was recorded by an unset clock can then not be dated anew. */
export async function readBoot(clock: Clock, root = "/"): Promise<Boot | undefined> {
  try {
    const bootId = v.parse(BootId, await readFile(join(root, "proc/sys/kernel/random/boot_id"), "utf8"));
    const uptimeSeconds = v.parse(Uptime, await readFile(join(root, "proc/uptime"), "utf8"));
    return { bootId, uptimeOffsetMs: Math.round(uptimeSeconds * 1000 - clock.monotonicMs()) };
  } catch {
    return undefined;
  }
}

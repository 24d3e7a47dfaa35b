import { systemClock } from "../../src/common/clock.ts";
import { createLogger } from "../../src/common/log.ts";
import { Spool, type SpoolOptions } from "../../src/edge/spool/spool.ts";

/** The real spool in a test's folder. */
export function openTestSpool(root: string, overrides: Partial<SpoolOptions> = {}): Promise<Spool> {
  return Spool.open({
    root,
    fsyncIntervalMs: 2000,
    maxAcknowledgedBytes: 1e9,
    defaults: { nodeId: "node01", timeZone: "Asia/Seoul", softwareVersion: "0.0.0-test" },
    clock: systemClock,
    logger: createLogger("spool"),
    ...overrides,
  });
}

/** A spool that was found and repaired, as the edge has it after its start. */
export async function openLoadedSpool(root: string, overrides: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = await openTestSpool(root, overrides);
  await spool.load(new AbortController().signal);
  return spool;
}

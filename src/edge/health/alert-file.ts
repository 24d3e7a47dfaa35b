import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { errnoOf } from "../../common/errors.ts";
import { errorFields, type Logger } from "../../common/log.ts";
import { maxReportedAlerts, ReportedAlert } from "../../common/protocol/alert.ts";
import { formatWireTime, NonNegativeInteger } from "../../common/protocol/wire.ts";
import type { AlertMemory } from "./alert-book.ts";

const AlertFileJson = v.object({
  alerts: v.pipe(v.array(ReportedAlert), v.maxLength(maxReportedAlerts * 2)),
  counters: v.record(v.string(), NonNegativeInteger),
});

/** Nothing where there is no file yet, or it cannot be believed: what is wrong will be found again. Never rejects. */
export async function readAlertFile(path: string, logger: Logger): Promise<AlertMemory> {
  try {
    const { alerts, counters } = v.parse(AlertFileJson, JSON.parse(await readFile(path, "utf8")));
    return {
      alerts: alerts.map((alert) => ({
        ...alert,
        raised_at: formatWireTime(alert.raised_at),
        cleared_at: alert.cleared_at === null ? null : formatWireTime(alert.cleared_at),
      })),
      counters,
    };
  } catch (error) {
    if (errnoOf(error) !== "ENOENT")
      logger.warning("the alerts of before cannot be read", errorFields(error));
    return { alerts: [], counters: {} };
  }
}

/** Throws `io`. */
export async function writeAlertFile(path: string, memory: AlertMemory): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(memory, null, 1)}\n`);
}

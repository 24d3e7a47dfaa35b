import { type Clock, sleep } from "../../common/clock.ts";
import { describeError } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Settings } from "../db/settings.ts";
import type { Finding, PartState, PartStatus } from "../health/health-service.ts";
import type { ArchiveFinding, ArchiveProbe } from "./archive-probe.ts";

const settingName = "archive_id";
const lowShare = 0.05;

export interface ArchiveWatchOptions {
  probe: ArchiveProbe;
  settings: Settings;
  clock: Clock;
  logger: Logger;
  newArchiveId: () => string;
  intervalMs?: number;
}

/**
 * Knows which archive this hub's catalog belongs to, and how it is. The id is taken from the archive the first time
 * one is seen (an empty folder is made into one then), and never changes by itself: another archive, or an empty
 * mount point, under the same path is reported and left alone.
 */
export class ArchiveWatch {
  readonly #options: ArchiveWatchOptions;
  #archiveId: string | undefined;
  #status: PartStatus;

  constructor(options: ArchiveWatchOptions) {
    this.#options = options;
    const checkedAtMs = options.clock.wallMs();
    this.#status = {
      state: "degraded",
      message: "not looked at yet",
      findings: ["not_looked_at"],
      figures: {},
      checkedAtMs,
    };
  }

  /** Undefined until an archive was seen for the first time. */
  get archiveId(): string | undefined {
    return this.#archiveId;
  }

  /** As of the last look. */
  get status(): PartStatus {
    return this.#status;
  }

  /** Reads what is remembered; looks at nothing. */
  async load(): Promise<void> {
    this.#archiveId = await this.#options.settings.get(settingName);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.check();
      await sleep(this.#options.intervalMs ?? 30_000, signal);
    }
  }

  /** One look; the answer is in {@link status}. */
  async check(): Promise<void> {
    const { clock, logger } = this.#options;
    const before = this.#status;
    let outcome: Outcome;
    try {
      outcome = await this.#look();
    } catch (error) {
      outcome = { state: "down", message: describeError(error), figures: {} };
    }
    const { archiveId: known = null } = { archiveId: this.#archiveId };
    this.#status = {
      ...outcome,
      figures: { archive_id: known, ...outcome.figures },
      checkedAtMs: clock.wallMs(),
    };
    if (before.state === outcome.state && before.message === outcome.message) return;
    logger[outcome.state === "ok" ? "info" : "warn"](`archive: ${outcome.message}`, { state: outcome.state });
  }

  async #look(): Promise<Outcome> {
    const { probe, settings, clock, newArchiveId } = this.#options;
    const known = this.#archiveId;
    const create =
      known === undefined ? { archiveId: newArchiveId(), createdAtMs: clock.wallMs() } : undefined;
    const finding = await probe.look({ create });
    if (finding.found === "archive" && known === undefined) {
      this.#archiveId = await settings.getOrSet(settingName, finding.archiveId);
    }
    return judge(finding, this.#archiveId);
  }
}

type Outcome = Omit<PartStatus, "checkedAtMs">;

function judge(finding: ArchiveFinding, known: string | undefined): Outcome {
  const say = (state: PartState, found: Finding, message: string, figures: PartStatus["figures"] = {}) => ({
    ...{ state, message, figures },
    findings: [found],
  });
  switch (finding.found) {
    case "no_folder":
      return say("down", "no_folder", "there is no such folder; is the NAS mounted?");
    case "empty":
      return say(
        "down",
        "empty_folder",
        "the folder is empty, though this hub knows an archive; is the NAS mounted?",
      );
    case "no_identity":
      return say("down", "no_identity", "the folder has no metadata/archive.json; is it the right one?");
    case "bad_identity":
      return say("down", "bad_identity", "metadata/archive.json is damaged");
  }
  const figures = { free_bytes: finding.freeBytes, total_bytes: finding.totalBytes };
  if (finding.archiveId !== known) {
    return say("down", "other_archive", "another archive is in its place; nothing is written to it", {
      ...figures,
      found_archive_id: finding.archiveId,
    });
  }
  if (!finding.writable) return say("degraded", "not_writable", "the hub may not write to it", figures);
  if (finding.freeBytes < finding.totalBytes * lowShare) {
    return say("degraded", "nearly_full", "it is nearly full", figures);
  }
  return { state: "ok", message: "it is there", figures };
}

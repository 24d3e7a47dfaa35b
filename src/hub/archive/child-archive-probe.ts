import * as v from "valibot";
import { type Child, startChild } from "../../common/child-process.ts";
import { sleep } from "../../common/clock.ts";
import { AppError } from "../../common/errors.ts";
import type { ArchiveFinding, ArchiveProbe } from "./archive-probe.ts";

const count = v.pipe(v.number(), v.minValue(0));
const Finding = v.variant("found", [
  v.object({
    found: v.literal("archive"),
    archiveId: v.string(),
    freeBytes: count,
    totalBytes: count,
    writable: v.boolean(),
  }),
  v.object({ found: v.picklist(["no_folder", "empty", "no_identity", "bad_identity"]) }),
]);

export interface ChildArchiveProbeOptions {
  /** How this program starts itself again, without arguments. */
  selfCommand: readonly string[];
  root: string;
  deadlineMs?: number;
}

/**
 * Looks at the archive in a child process. One that hangs in the kernel cannot be killed and is not waited for; until
 * it is gone no other is started, so a hung NAS holds one process and no more.
 */
export function createChildArchiveProbe(options: ChildArchiveProbeOptions): ArchiveProbe {
  const { selfCommand, root, deadlineMs = 5_000 } = options;
  let stuck: Child | undefined;

  return {
    async look({ create }) {
      if (stuck) throw hung();
      const child = startChild({
        argv: [
          ...selfCommand,
          "archive-probe",
          ...(create ? ["--create", create.archiveId, "--created-at", String(create.createdAtMs)] : []),
          "--",
          root,
        ],
        stdout: "pipe",
        killAfterMs: 100,
      });
      stuck = child;
      void child.exited.then(() => {
        stuck = undefined;
      });
      const finding = readFinding(child);
      const timer = new AbortController();
      const result = await Promise.race([finding, sleep(deadlineMs, timer.signal).then(() => undefined)]);
      timer.abort();
      if (result !== undefined) return result;
      child.stop();
      throw hung();
    },
  };
}

async function readFinding(child: Child): Promise<ArchiveFinding> {
  const text = await new Response(child.stdout).text();
  const { exitCode, stderrTail } = await child.exited;
  if (exitCode !== 0) {
    throw new AppError("io", "the archive cannot be read", {
      cause: new Error(stderrTail.trim().slice(-500)),
    });
  }
  return v.parse(Finding, JSON.parse(text));
}

function hung(): AppError {
  return new AppError("timeout", "the archive does not answer");
}

import { describeError } from "../common/errors.ts";
import { lookAtArchive } from "./archive/look-at-archive.ts";
import type { CliContext } from "./cli-context.ts";

/** `archive-probe`: not for people. Prints what it found as JSON; see child-archive-probe.ts. */
export async function runArchiveProbe(
  folder: string,
  options: { create?: string; createdAt?: string },
  { out, err }: CliContext,
): Promise<number> {
  const { create, createdAt } = options;
  try {
    const identity = create === undefined ? undefined : { archiveId: create, createdAtMs: Number(createdAt) };
    out.write(`${JSON.stringify(await lookAtArchive(folder, identity))}\n`);
    return 0;
  } catch (error) {
    err.write(`${describeError(error)}\n`);
    return 1;
  }
}

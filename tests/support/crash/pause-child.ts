import { mkdir, mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createLogger } from "../../../src/common/log.ts";
import { PauseMarks } from "../../../src/edge/spool/pause-marks.ts";
import { failStep, steps } from "./crashing-fs.ts";

/** What was in force and what a restart would find, after a pause or its end met a disk that refused one step. */
export interface RefusedPause {
  asked: "set" | "clear";
  errno: string;
  /** What was refused. */
  step: string;
  answered: boolean;
  /** What came after, the disk being well again. */
  next: "settle" | "again" | "opposite";
  isPaused: boolean;
  isPausedAfterRestart: boolean;
  files: string[];
}

const [folder = ""] = process.argv.slice(2);
const camera = "cam01";

async function refuse(
  asked: RefusedPause["asked"],
  next: RefusedPause["next"],
  errno: string,
  at: number,
): Promise<RefusedPause | undefined> {
  const root = await mkdtemp(join(folder, "spool-"));
  await mkdir(join(root, "paused"));
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
  const options = { root, clock, logger: createLogger("spool") };
  const marks = await PauseMarks.open(options);
  if (asked === "clear") await marks.set(camera);
  failStep(at, errno);
  const first = steps.length;
  const answered = await marks[asked](camera).then(
    () => true,
    () => false,
  );
  const step = steps[first + at];
  failStep(undefined);
  if (step === undefined) return undefined;
  if (next === "settle") await marks.settle();
  else await marks[(next === "again") === (asked === "set") ? "set" : "clear"](camera);
  const isPaused = marks.of(camera) !== undefined;
  const isPausedAfterRestart = (await PauseMarks.open(options)).of(camera) !== undefined;
  const files = await readdir(join(root, "paused"));
  return { asked, errno, step, answered, next, isPaused, isPausedAfterRestart, files };
}

for (const asked of ["set", "clear"] as const) {
  for (const next of ["settle", "again", "opposite"] as const) {
    for (const errno of ["ENOSPC", "EIO", "EROFS"]) {
      for (let at = 0; ; at++) {
        const refused = await refuse(asked, next, errno, at);
        if (!refused) break;
        console.log(JSON.stringify(refused));
      }
    }
  }
}

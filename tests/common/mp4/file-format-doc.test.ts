import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startChild } from "../../../src/common/child-process.ts";
import { archiveBytes, recipes, recordStream, splitStream, spoolBytes } from "./sample-streams.ts";

test("the recipe of docs/file-format.md finds the recorded hash and the identity", async () => {
  const folder = await mkdtemp(join(tmpdir(), "livecam-format-doc-"));
  try {
    const { init, fragments } = splitStream(
      await recordStream(folder, recipes["H.264 with B-frames and AAC"]!),
    );
    await writeFile(join(folder, "cam01_20250923_153000.mp4"), archiveBytes(init, fragments));
    const page = await readFile(resolve(import.meta.dir, "../../../docs/file-format.md"), "utf8");
    const [, recipe] = /```sh\n(.*?)```/s.exec(page)!;
    const child = startChild({ argv: ["sh", "-eu", "-c", recipe!], cwd: folder, stdout: "pipe" });
    const [hash, ...identity] = (await new Response(child.stdout).text()).split("\n");
    expect((await child.exited).stderrTail).toBe("");

    const recorded = createHash("sha256").update(spoolBytes(init, fragments)).digest("hex");
    expect(hash).toBe(`${recorded}  -`);
    expect(JSON.parse(identity.join("\n"))).toMatchObject({ camera_id: "cam01", recorded_sha256: recorded });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);

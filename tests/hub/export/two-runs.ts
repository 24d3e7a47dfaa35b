import { expect } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Video } from "../../../src/hub/db/catalog.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { startExportServer } from "./export-server.ts";
import { framesOfFile } from "./frames.ts";

export const startMs = Date.parse("2025-09-23T06:30:00.000Z");
export type TwoRuns = Awaited<ReturnType<typeof archiveTwoRuns>>;

/**
 * A server of exports over twelve seconds with sound and B-frames in three videos of one run; eight seconds without; six
 * in another run, whose times begin before zero.
 */
export async function archiveTwoRuns(second: { editLists?: boolean } = {}) {
  const server = await startExportServer();
  const recipe = { bFrames: 2, audio: true };
  const videos = {
    first: await archiveTestRun(server.root, { ...recipe, startTimeMs: startMs, secondsPerVideo: [4, 4, 4] }),
    second: await archiveTestRun(server.root, {
      ...{ ...recipe, ...second, negative: true },
      startTimeMs: startMs + 20_000,
      secondsPerVideo: [3, 3],
    }),
  };
  server.add(...videos.first, ...videos.second);
  return {
    server,
    ...videos,

    /** The body of a 200, as a file. */
    async save(response: Response): Promise<string> {
      expect(response.status).toBe(200);
      const path = join(server.root, `${crypto.randomUUID()}.clip`);
      await writeFile(path, await response.bytes());
      return path;
    },

    /** The frames of archived videos one after the other. */
    async framesOf(of: readonly Video[], kind: "v" | "a" = "v"): Promise<string[]> {
      const each = await Promise.all(
        of.map((video) => framesOfFile(join(server.root, video.filePath), kind)),
      );
      return each.flat().map((frame) => frame.md5);
    },
  };
}

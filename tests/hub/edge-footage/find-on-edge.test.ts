import { expect, test } from "bun:test";
import { AppError } from "../../../src/common/errors.ts";
import type { EdgeFile, EdgeVideo } from "../../../src/hub/edge-footage/edge-footage.ts";
import { createFindOnEdge } from "../../../src/hub/edge-footage/find-on-edge.ts";

const range = { fromMs: 0, toMs: 1e9 };
const videoOf = (i: number, more: Partial<EdgeVideo> = {}) =>
  ({
    videoId: `v${i}`,
    cameraId: "cam01",
    startTimeMs: i,
    endTimeMs: i + 1,
    isMock: false,
    ...more,
  }) as EdgeVideo;

function setUp(videos: EdgeVideo[], find: (videoId: string) => Promise<EdgeFile>) {
  const asked: string[] = [];
  const findOnEdge = createFindOnEdge({
    footage: { list: async () => ({ videos, asOfMs: 0, isCut: false }) },
    files: {
      find: (_, videoId) => {
        asked.push(videoId);
        return find(videoId);
      },
    },
    patienceMs: 20,
  });
  return { asked, findOnEdge };
}

test("footage comes with its index; what the node does not tell in time, or has not any more, without", async () => {
  const file = { videoId: "v0", initSizeBytes: 5 } as EdgeFile;
  const { findOnEdge } = setUp(
    [videoOf(0), videoOf(1), videoOf(2), videoOf(3, { isMock: true })],
    (videoId) => {
      if (videoId === "v0") return Promise.resolve(file);
      if (videoId === "v1") return Promise.reject(new AppError("not_found", "it is gone"));
      return new Promise(() => undefined);
    },
  );
  const found = await findOnEdge("cam01", range);
  expect(found.map(({ file: index }) => index?.initSizeBytes)).toEqual([5, undefined, undefined]);
  expect(found[0]).toMatchObject({ uri: "/api/cameras/cam01/on-edge/v0/stream.mp4", endTimeMs: 1 });
  expect(await findOnEdge("cam01", { fromMs: 5, toMs: 5 })).toEqual([]);
});

test("of thousands of segments the newest are indexed", async () => {
  const { findOnEdge, asked } = setUp(
    Array.from({ length: 3_000 }, (_, i) => videoOf(i)),
    async (videoId) => ({ videoId }) as EdgeFile,
  );
  const found = await findOnEdge("cam01", range);
  expect(found).toHaveLength(3_000);
  expect(found.filter(({ file }) => file !== undefined)).toHaveLength(400);
  expect(asked).toHaveLength(400);
  expect(asked.at(-1)).toBe("v2999");
});

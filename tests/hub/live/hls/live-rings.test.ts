import { describe, expect, test } from "bun:test";
import { systemClock } from "../../../../src/common/clock.ts";
import { AppError } from "../../../../src/common/errors.ts";
import { LiveRings, type LiveRingsOptions } from "../../../../src/hub/live/hls/live-rings.ts";
import type { LiveViewer } from "../../../../src/hub/live/live-viewer.ts";
import { readHlsPlaylist } from "../../../support/hls-validator.ts";
import { liveFragment, liveInit } from "../../../support/live-fragments.ts";

/** Rings over cameras that give what a test says. */
function setUp(options: Partial<LiveRingsOptions> = {}) {
  const viewers = new Map<string, LiveViewer>();
  const joins: string[] = [];
  const rings = new LiveRings({
    cameras: {
      async join(cameraId, viewer) {
        joins.push(cameraId);
        if (cameraId === "nothing") throw new AppError("not_found", "there is no camera with this id");
        viewers.set(cameraId, viewer);
        viewer.onInit({ codecs: "avc1.64001f", width: 640, height: 360, bytes: liveInit });
        return () => viewers.delete(cameraId);
      },
    },
    clock: systemClock,
    ...options,
  });
  const give = (cameraId: string, count: number, { from = 0, sampleBytes = 100 } = {}) => {
    for (let i = from; i < from + count; i++) {
      viewers.get(cameraId)?.onFragment(liveFragment({ startSeconds: i, sampleBytes }), true);
    }
  };
  return { rings, viewers, joins, give };
}

const until = async (holds: () => boolean) => {
  while (!holds()) await Bun.sleep(2);
};

describe("cameras that are asked for one by one", () => {
  test("ten who ask at once wait for the first fragments, and the camera is watched once", async () => {
    const { rings, viewers, joins, give } = setUp();
    const all = Promise.all(Array.from({ length: 10 }, () => rings.playlistOf("cam01")));
    await until(() => viewers.size === 1);
    give("cam01", 3);
    const texts = await all;
    expect(new Set(texts).size).toBe(1);
    expect(joins).toEqual(["cam01"]);
    const [first] = readHlsPlaylist(texts[0] ?? "").parts;
    const part = await rings.bytesOf("cam01", first?.uri.split("/").at(-1) ?? "");
    expect(part).toEqual(liveFragment({ startSeconds: 0 }));
  });

  test("are watched no more when nobody asks; numbers go on when somebody does again", async () => {
    const { rings, viewers, give } = setUp({ idleMs: 20 });
    const first = rings.playlistOf("cam01");
    await until(() => viewers.size === 1);
    give("cam01", 3);
    const before = readHlsPlaylist(await first);
    await until(() => viewers.size === 0);
    expect(rings.bytes).toBe(0);
    const name = before.parts[0]?.uri.split("/").at(-1) ?? "";
    await expect(rings.bytesOf("cam01", name)).rejects.toThrow("not kept any more");
    const second = rings.playlistOf("cam01");
    await until(() => viewers.size === 1);
    give("cam01", 3);
    const after = readHlsPlaylist(await second);
    expect(after.parts[0]?.sequence).toBeGreaterThan(before.parts.at(-1)?.sequence ?? Number.NaN);
    expect(after.parts[0]?.discontinuities).toBeGreaterThan(
      before.parts.at(-1)?.discontinuities ?? Number.NaN,
    );
  });

  test("that give nothing, or cannot be asked, are refused, and so are unknown ones, each time anew", async () => {
    const { rings, viewers, joins, give } = setUp({ waitMs: 20 });
    await expect(rings.playlistOf("cam01")).rejects.toThrow("gives no pictures");
    // One fragment of a camera whose fragments are long.
    give("cam01", 1);
    expect(readHlsPlaylist(await rings.playlistOf("cam01")).parts).toHaveLength(1);
    const asked = rings.playlistOf("cam02");
    await until(() => viewers.has("cam02"));
    viewers.get("cam02")?.onAway("node node02 is not linked to this hub");
    await expect(asked).rejects.toThrow("not linked");
    for (let i = 0; i < 2; i++) await expect(rings.playlistOf("nothing")).rejects.toThrow("no camera");
    expect(joins).toEqual(["cam01", "cam02", "nothing", "nothing"]);
  });

  test("share their memory: one that comes when it is full takes nothing from the others", async () => {
    const { rings, viewers, give } = setUp({ maxBytes: 3_000_000, waitMs: 20 });
    for (const cameraId of ["cam01", "cam02"]) {
      const asked = rings.playlistOf(cameraId).catch(() => undefined);
      await until(() => viewers.has(cameraId));
      give(cameraId, 30, { sampleBytes: 50_000 });
      await asked;
      expect(rings.bytes).toBeLessThanOrEqual(3_000_000);
    }
    expect(readHlsPlaylist(await rings.playlistOf("cam01")).parts.length).toBeGreaterThanOrEqual(3);
    await expect(rings.playlistOf("cam02")).rejects.toThrow();
  });
});

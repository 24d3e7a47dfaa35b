import { describe, expect, test } from "bun:test";
import { AppError, type ErrorCode } from "../../../../src/common/errors.ts";
import { newUuidV7 } from "../../../../src/common/ids.ts";
import { createLogger } from "../../../../src/common/log.ts";
import type { Video, VideoQuery } from "../../../../src/hub/db/catalog.ts";
import { PreviewMaker } from "../../../../src/hub/playback/previews/preview-maker.ts";

const nowMs = Date.UTC(2025, 8, 23, 12);
const minute = 60_000;

/** Videos by how many minutes ago they began. */
function setUp(
  minutesAgo: readonly number[],
  options: { fail?: (minute: number) => ErrorCode | undefined } = {},
) {
  const rows = minutesAgo.map((ago): Pick<Video, "videoId" | "startTimeMs" | "status"> & { ago: number } => {
    const startTimeMs = nowMs - ago * minute;
    return { ...{ ago, startTimeMs, status: "available" }, videoId: newUuidV7(startTimeMs) };
  });
  const kept = new Set<number>();
  const tried: number[] = [];
  const state = { isThere: true, isBusy: false, looks: 0 };
  const catalog = {
    findVideo: async (videoId: string) => rows.find((row) => row.videoId === videoId) as Video | undefined,
    async findVideos({ fromMs = 0, after, limit, order, statuses }: VideoQuery) {
      state.looks++;
      expect([order, statuses]).toEqual(["newest_first", ["available"]]);
      return rows
        .filter((row) => row.startTimeMs + 10 * minute > fromMs && row.status === "available")
        .filter((row) => after === undefined || row.startTimeMs < after.startTimeMs)
        .sort((a, b) => b.startTimeMs - a.startTimeMs)
        .slice(0, limit) as unknown as Video[];
    },
  };
  const maker = new PreviewMaker({
    catalog,
    previews: {
      async provide(video) {
        const { ago } = video as unknown as { ago: number };
        if (kept.has(ago)) return false;
        tried.push(ago);
        const code = options.fail?.(ago);
        if (code !== undefined) throw new AppError(code, "it is so");
        kept.add(ago);
        return true;
      },
    },
    isArchiveThere: () => state.isThere,
    isBusy: () => state.isBusy,
    clock: { wallMs: () => nowMs },
    logger: createLogger("test"),
    pauseMs: 1,
  });
  const stop = new AbortController();
  return {
    ...{ maker, rows, kept, tried, state },
    announce: (...agos: number[]) =>
      maker.announced(rows.filter(({ ago }) => agos.includes(ago)).map(({ videoId }) => videoId)),
    start: () => {
      const running = maker.run(stop.signal);
      return {
        [Symbol.asyncDispose]: async () => {
          stop.abort();
          await running;
        },
      };
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(1);
}

describe("previews in the background", () => {
  test("are made of what the last days have and has none, the newest first", async () => {
    const days = 24 * 60;
    const at = setUp([30, 10, 20, 40, 3 * days, 8 * days]);
    at.kept.add(20);
    await using _ = at.start();
    await until(() => at.kept.size === 5);
    expect(at.tried).toEqual([10, 30, 40, 3 * days]);
  });

  test("go on where they were after a restart, by what is there", async () => {
    const all = Array.from({ length: 250 }, (_, i) => i);
    const at = setUp(all);
    for (const ago of all.slice(0, 130)) at.kept.add(ago);
    await using _ = at.start();
    await until(() => at.kept.size === 250);
    expect(at.tried).toEqual(all.slice(130));
  });

  test("are made of what is announced before what is old", async () => {
    const at = setUp([50, 40, 30, 20, 10]);
    at.rows.splice(3);
    const [newest, newer] = [setUp([10]).rows[0]!, setUp([20]).rows[0]!];
    at.rows.push(newest, newer);
    at.announce(20, 10);
    await using _ = at.start();
    await until(() => at.kept.size === 5);
    expect(at.tried).toEqual([10, 20, 30, 40, 50]);
    const late = { ...newest, ago: 5, videoId: newUuidV7(nowMs) };
    at.rows.push(late);
    at.announce(5);
    await until(() => at.kept.has(5));
    expect(at.maker.waiting).toBe(0);
  });

  for (const why of ["isThere", "isBusy"] as const) {
    test(`wait while ${why === "isThere" ? "the archive is away" : "others need the machine"}`, async () => {
      const at = setUp([10, 20]);
      at.state[why] = why === "isBusy";
      await using _ = at.start();
      at.announce(10);
      await Bun.sleep(20);
      expect([at.tried, at.state.looks, at.maker.waiting]).toEqual([[], 0, 1]);
      at.state[why] = why === "isThere";
      await until(() => at.kept.size === 2);
    });
  }

  test("are tried again when the archive did not answer", async () => {
    let isThere = false;
    const at = setUp([10, 20], { fail: () => (isThere ? undefined : "unavailable") });
    await using _ = at.start();
    await until(() => at.tried.length > 5);
    expect(at.kept.size).toBe(0);
    isThere = true;
    await until(() => at.kept.size === 2);
  });

  for (const [code, times] of [
    ["not_found", 1],
    ["timeout", 1],
    ["io", 3],
  ] as const) {
    test(`of a file that says ${code} are tried ${times} times, and the others are made`, async () => {
      const at = setUp([10, 20, 30], { fail: (ago) => (ago === 10 ? code : undefined) });
      await using _ = at.start();
      await until(() => at.kept.size === 2);
      expect(at.tried.filter((ago) => ago === 10).length).toBe(times);
    });
  }

  test("of thousands that are announced at once take little memory and are all made", async () => {
    const all = Array.from({ length: 3_000 }, (_, i) => i);
    const at = setUp(all);
    await using _ = at.start();
    at.announce(...all);
    expect(at.maker.waiting).toBeLessThanOrEqual(1_000);
    await until(() => at.kept.size === 3_000);
    expect(at.tried[0]).toBe(0);
  });
});

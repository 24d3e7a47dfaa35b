import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { newUuidV7 } from "../../src/common/ids.ts";
import { localDateOf } from "../../src/common/time-zone.ts";
import {
  type Catalog,
  type Gap,
  type NewNode,
  type NewVideo,
  type PageKey,
  type Video,
  type VideoQuery,
  videoStatuses,
} from "../../src/hub/db/catalog.ts";
import { sampleHash, sampleRun, sampleVideo } from "../support/sample-videos.ts";
import { expectedPage, queries } from "./catalog-model.ts";

const nowMs = Date.parse("2025-09-23T06:41:00Z");
const newest: VideoQuery = { order: "newest_first", limit: 500 };

/** What every adapter of the catalog has to do. `open` makes an empty one. */
export function catalogContract(name: string, open: () => Promise<Catalog>): void {
  describe(`${name}: catalog`, () => {
    let catalog: Catalog;
    beforeAll(async () => {
      catalog = await open();
    });
    afterAll(() => catalog.close());

    /** A camera of its own keeps the tests of one catalog apart. */
    let cameras = 0;
    const newCamera = () => `c${++cameras}`;

    describe("saving", () => {
      test("a video comes back as it was announced, available and without notes", async () => {
        const video = sampleVideo({ cameraId: newCamera(), fps: 30000 / 1001, fileSizeBytes: 2 ** 52 + 1 });
        expect(await catalog.saveVideos([video], nowMs)).toEqual([{ result: "stored" }]);
        expect(await catalog.findVideo(video.videoId)).toEqual({
          ...video,
          createdAtMs: nowMs,
          status: "available",
          notes: "",
        });
      });

      test("what is no footage comes back as such", async () => {
        const video = sampleVideo({ cameraId: newCamera(), isMock: true });
        await catalog.saveVideos([video], nowMs);
        expect(await catalog.findVideo(video.videoId)).toMatchObject(video);
      });

      test("numbers and text survive exactly", async () => {
        const cameraId = newCamera();
        let startTimeMs = nowMs;
        await fc.assert(
          fc.asyncProperty(
            fc.record({
              fps: fc.double({ min: 0, max: 1000, noNaN: true }).map((fps) => fps + 0),
              codec: fc.string({ unit: "grapheme", maxLength: 64 }),
              softwareVersion: fc.string({ unit: "binary-ascii", maxLength: 64 }),
              sequence: fc.nat(),
              fileSizeBytes: fc.maxSafeNat(),
            }),
            async (fields) => {
              startTimeMs += 1000;
              const text = { softwareVersion: fields.softwareVersion.replaceAll("\0", "") };
              const video = sampleVideo({ cameraId, startTimeMs, ...fields, ...text });
              await catalog.saveVideos([video], nowMs);
              expect(await catalog.findVideo(video.videoId)).toMatchObject(video);
            },
          ),
          { numRuns: 100 },
        );
      });

      test("half of a surrogate pair is replaced, and does not end whoever reads it", async () => {
        const video = sampleVideo({ cameraId: newCamera(), softwareVersion: "a\ud83d", codec: "\\ud83d" });
        await catalog.saveVideos([video], nowMs);
        expect(await catalog.findVideo(video.videoId)).toMatchObject({
          softwareVersion: "a\ufffd",
          codec: "\\ud83d",
        });
      });

      test("the same again is a duplicate, and changes nothing", async () => {
        const video = sampleVideo({ cameraId: newCamera() });
        await catalog.saveVideos([video], nowMs);
        const before = await catalog.findVideo(video.videoId);
        expect(await catalog.saveVideos([video], nowMs + 1)).toEqual([{ result: "duplicate" }]);
        expect(await catalog.findVideo(video.videoId)).toEqual(before);
      });

      const changes: [string, Partial<NewVideo>][] = [
        ["recorded_sha256", { recordedSha256: sampleHash("other") }],
        ["file_sha256", { fileSha256: sampleHash("other") }],
        ["file_size", { fileSizeBytes: 7 }],
        ["file_path", { filePath: "c0/2025-09-23/c0_20250923_153000.mp4" }],
      ];
      test.each(changes)("the same id with another %s is a conflict", async (field, change) => {
        const video = sampleVideo({ cameraId: newCamera() });
        await catalog.saveVideos([video], nowMs);
        const [result] = await catalog.saveVideos([{ ...video, ...change }], nowMs);
        expect(result).toMatchObject({ result: "conflict", knownSha256: video.fileSha256 });
        expect(result).toHaveProperty("detail", expect.stringContaining(field));
        expect(await catalog.findVideo(video.videoId)).toMatchObject(video);
      });

      test("another id under a known path is a conflict that names the video there", async () => {
        const video = sampleVideo({ cameraId: newCamera() });
        const other = sampleVideo({ cameraId: video.cameraId, filePath: video.filePath });
        await catalog.saveVideos([video], nowMs);
        expect(await catalog.saveVideos([other], nowMs)).toEqual([
          {
            result: "conflict",
            knownSha256: video.fileSha256,
            detail: expect.stringContaining(video.videoId),
          },
        ]);
        expect(await catalog.findVideo(other.videoId)).toBeUndefined();
      });

      test("a batch answers in its own order, each for itself", async () => {
        const cameraId = newCamera();
        const [known, ...rest] = sampleRun(5, { cameraId });
        const [a, b, c, d] = rest as [NewVideo, NewVideo, NewVideo, NewVideo];
        await catalog.saveVideos([known as NewVideo], nowMs);
        const changed = { ...b, fileSha256: sampleHash("other") };
        const moved = sampleVideo({ cameraId, filePath: a.filePath });
        const results = await catalog.saveVideos(
          [d, known as NewVideo, moved, b, changed, b, a, c] as NewVideo[],
          nowMs,
        );
        // `moved` came before `a`, so the path is its.
        expect(results.map(({ result }) => result)).toEqual([
          "stored",
          "duplicate",
          "stored",
          "stored",
          "conflict",
          "duplicate",
          "conflict",
          "stored",
        ]);
        expect(await catalog.findVideos({ ...newest, cameraIds: [cameraId] })).toHaveLength(5);
      });

      test("the same video a hundred times at once is stored once", async () => {
        const video = sampleVideo({ cameraId: newCamera() });
        const results = await Promise.all(
          Array.from({ length: 100 }, () => catalog.saveVideos([video], nowMs)),
        );
        const count = (wanted: string) => results.flat().filter(({ result }) => result === wanted).length;
        expect({ stored: count("stored"), duplicate: count("duplicate") }).toEqual({
          stored: 1,
          duplicate: 99,
        });
        expect(await catalog.findVideos({ ...newest, cameraIds: [video.cameraId] })).toHaveLength(1);
      });

      test("five hundred at once; none at all", async () => {
        const cameraId = newCamera();
        const results = await catalog.saveVideos(sampleRun(500, { cameraId }), nowMs);
        expect(results.every(({ result }) => result === "stored")).toBe(true);
        expect(await catalog.findVideos({ ...newest, cameraIds: [cameraId] })).toHaveLength(500);
        expect(await catalog.saveVideos([], nowMs)).toEqual([]);
      });

      test("a camera nobody registered is made; one that is known stays as it is", async () => {
        const unknown = newCamera();
        const known = newCamera();
        await catalog.saveNode(sampleNode("node01"), [
          { cameraId: known, nodeId: "node01", name: "Gate", source: "rtsp" },
        ]);
        await catalog.saveVideos(
          [
            sampleVideo({ cameraId: unknown, nodeId: "node02" }),
            sampleVideo({ cameraId: known, nodeId: "node02" }),
          ],
          nowMs,
        );
        const rows = await catalog.listCameras();
        expect(rows.find(({ cameraId }) => cameraId === unknown)).toEqual({
          cameraId: unknown,
          nodeId: "node02",
          name: unknown,
          source: "",
        });
        expect(rows.find(({ cameraId }) => cameraId === known)).toMatchObject({
          nodeId: "node01",
          name: "Gate",
        });
      });
    });

    describe("one video", () => {
      test("an unknown id is nothing", async () => {
        expect(await catalog.findVideo(sampleVideo().videoId)).toBeUndefined();
        expect(await catalog.findVideo("' OR 1=1 --")).toBeUndefined();
      });

      test("status, notes and deletion", async () => {
        const video = sampleVideo({ cameraId: newCamera() });
        const other = sampleVideo({ cameraId: video.cameraId, attempt: 2 });
        await catalog.saveVideos([video, other], nowMs);
        await catalog.updateVideoStatus(video.videoId, "damaged");
        await catalog.updateVideoNotes(video.videoId, 'It\'s "here"\n- 100 % 한국어 😀 \\');
        expect(await catalog.findVideo(video.videoId)).toMatchObject({
          status: "damaged",
          notes: 'It\'s "here"\n- 100 % 한국어 😀 \\',
        });
        await catalog.deleteVideo(video.videoId);
        expect(await catalog.findVideo(video.videoId)).toBeUndefined();
        expect(await catalog.findVideo(other.videoId)).toMatchObject({ status: "available", notes: "" });
        await catalog.updateVideoStatus(video.videoId, "missing");
        await catalog.updateVideoNotes(video.videoId, "x");
        await catalog.deleteVideo(video.videoId);
        expect(await catalog.findVideo(video.videoId)).toBeUndefined();
      });
    });

    describe("lists and searches", () => {
      let all: Video[];
      let searched: Catalog;
      beforeAll(async () => {
        searched = await open();
        all = await fillForSearch(searched);
      });
      afterAll(() => searched.close());

      test("agree with a model that looks at every video", async () => {
        await fc.assert(
          fc.asyncProperty(queries(all), async (query) => {
            expect(await searched.findVideos(query)).toEqual(expectedPage(all, query));
          }),
          { numRuns: 500 },
        );
      });

      test("pages of any size put together are the whole, whatever else is asked for", async () => {
        await fc.assert(
          fc.asyncProperty(queries(all), fc.integer({ min: 60, max: 400 }), async (query, limit) => {
            const { after: _, ...whole } = { ...query, limit: all.length };
            const pages: Video[] = [];
            let after: PageKey | undefined;
            for (;;) {
              const page = await searched.findVideos({ ...whole, limit, ...(after ? { after } : {}) });
              pages.push(...page);
              after = page.at(-1);
              if (page.length < limit || after === undefined) break;
            }
            expect(pages).toEqual(expectedPage(all, whole));
          }),
          { numRuns: 40 },
        );
      });

      test.each(["newest_first", "oldest_first"] as const)(
        "a search that goes through all, %s, leaves none out",
        async (order) => {
          const query = { order, limit: all.length, statuses: videoStatuses };
          expect(await searched.findVideos(query)).toEqual(expectedPage(all, query));
          for (const cameraIds of [["cam01"], ["x", "cam02"]]) {
            expect(await searched.findVideos({ ...query, cameraIds })).toEqual(
              expectedPage(all, { ...query, cameraIds }),
            );
          }
        },
      );

      test("a search that goes through all ends early when nobody waits for it", async () => {
        const query: VideoQuery = { ...newest, text: "in no name" };
        const gone = AbortSignal.abort();
        await expect(searched.findVideos(query, gone)).rejects.toMatchObject({ code: "cancelled" });
        expect(await searched.findVideos(query)).toEqual([]);
      });

      test("a page holds still while newer videos arrive", async () => {
        const cameraId = newCamera();
        const run = sampleRun(30, { cameraId });
        await catalog.saveVideos(run, nowMs);
        const first = await catalog.findVideos({ ...newest, cameraIds: [cameraId], limit: 10 });
        await catalog.saveVideos(
          [sampleVideo({ cameraId, startTimeMs: (run.at(-1)?.endTimeMs ?? 0) + 1 })],
          nowMs,
        );
        const after = first.at(-1) as Video;
        const second = await catalog.findVideos({ ...newest, cameraIds: [cameraId], limit: 10, after });
        const ids = run.toReversed().map(({ videoId }) => videoId);
        expect([...first, ...second].map(({ videoId }) => videoId)).toEqual(ids.slice(0, 20));
      });

      test("wildcards, quotes and backslashes in the text mean themselves", async () => {
        const cameraId = newCamera();
        const notes = ["100% sure", "a_b", "back\\slash", "it's", 'say "x"', "[abc]*?"];
        const videos = sampleRun(notes.length, { cameraId });
        await catalog.saveVideos(videos, nowMs);
        for (const [i, note] of notes.entries())
          await catalog.updateVideoNotes(videos[i]?.videoId ?? "", note);
        const search = async (text: string) =>
          (await catalog.findVideos({ ...newest, cameraIds: [cameraId], text })).map((video) => video.notes);
        for (const [i, text] of ["0% S", "A_B", "k\\s", "'", '"X"', "]*?"].entries()) {
          expect(await search(text)).toEqual([notes[i] as string]);
        }
        for (const text of ["%", "_"]) expect((await search(text)).length).toBeLessThan(notes.length + 1);
        expect(await search("100%%")).toEqual([]);
        expect(await search("a%b")).toEqual([]);
        expect(await search("'; DROP TABLE videos; --")).toEqual([]);
      });

      test("text finds file names, not folders", async () => {
        const cameraId = newCamera();
        await catalog.saveVideos(sampleRun(3, { cameraId }), nowMs);
        const search = (text: string) => catalog.findVideos({ ...newest, cameraIds: [cameraId], text });
        expect(await search(`${cameraId.toUpperCase()}_20250923_1540`)).toHaveLength(1);
        expect(await search("2025-09-23")).toEqual([]);
        expect(await search("/")).toEqual([]);
      });

      test("lists that name nothing find nothing", async () => {
        for (const nothing of [{ cameraIds: [] }, { statuses: [] }, { weekdays: [] }, { nodeIds: [] }]) {
          expect(await searched.findVideos({ ...newest, ...nothing })).toEqual([]);
        }
      });
    });

    test("the newest video of each camera", async () => {
      const [a, b, empty] = [newCamera(), newCamera(), newCamera()];
      await catalog.saveNode(sampleNode("node01"), [
        { cameraId: empty, nodeId: "node01", name: empty, source: "test" },
      ]);
      const videos = [...sampleRun(5, { cameraId: a }), ...sampleRun(3, { cameraId: b })];
      await catalog.saveVideos(videos, nowMs);
      const found = (await catalog.findNewestVideos()).filter(({ cameraId }) =>
        [a, b, empty].includes(cameraId),
      );
      expect(found.map(({ videoId }) => videoId).sort()).toEqual(
        [videos[4]?.videoId ?? "", videos[7]?.videoId ?? ""].sort(),
      );
    });

    test("days are those of the video's own zone, newest first, each once", async () => {
      const cameraId = newCamera();
      const start = Date.parse("2025-09-20T15:30:00Z");
      const videos = sampleRun(300, { cameraId, startTimeMs: start });
      await catalog.saveVideos(videos, nowMs);
      const days = [
        ...new Set(videos.map((video) => localDateOf(video.startTimeMs, "Asia/Seoul"))),
      ].reverse();
      expect(days.length).toBeGreaterThan(2);
      expect(days[days.length - 1]).toBe("2025-09-21");
      expect(await catalog.findDays(cameraId, 100)).toEqual(days);
      expect(await catalog.findDays(cameraId, 2)).toEqual(days.slice(0, 2));
      expect(await catalog.findDays("none", 100)).toEqual([]);
    });

    describe("bookmarks", () => {
      const [one, two, three] = [newUuidV7(1), newUuidV7(2), newUuidV7(3)] as const;

      test("are moved from where they are, and from nowhere else; each node has its own", async () => {
        expect(await catalog.findBookmark("b1")).toBeNull();
        expect(await catalog.moveBookmark("b1", { from: one, to: two })).toBeNull();
        expect(await catalog.moveBookmark("b1", { from: null, to: one })).toBe(one);
        expect(await catalog.moveBookmark("b1", { from: null, to: two })).toBe(one);
        expect(await catalog.moveBookmark("b1", { from: one, to: two })).toBe(two);
        // The answer was lost, and the node asks again.
        expect(await catalog.moveBookmark("b1", { from: one, to: two })).toBe(two);
        expect(await catalog.moveBookmark("b1", { from: one, to: three })).toBe(two);
        expect(await catalog.findBookmark("b2")).toBeNull();
        expect(await catalog.findBookmark("b1")).toBe(two);
      });
    });

    describe("gaps", () => {
      const gap = (cameraId: string, fromMs: number, toMs: number) => ({
        gapId: newUuidV7(fromMs),
        ...{ cameraId, nodeId: "node01", fromMs, toMs },
        cause: "camera_failed" as const,
        detail: "ffmpeg exited with 1: \u{1f4a5} 'quoted'",
      });
      const oldest = { order: "oldest_first" as const, limit: 100 };

      test("come back as they were told, and a known one is left as it is", async () => {
        const cameraId = newCamera();
        const [a, b] = [gap(cameraId, nowMs, nowMs + 1), gap(cameraId, nowMs + 1000, nowMs + 2 ** 40)];
        expect(await catalog.saveGaps([a, b, a], nowMs)).toBe(2);
        expect(await catalog.saveGaps([{ ...a, cause: "paused" }, b], nowMs + 7)).toBe(0);
        expect(await catalog.saveGaps([], nowMs)).toBe(0);
        expect(await catalog.findGaps({ ...oldest, cameraIds: [cameraId] })).toEqual([
          { ...a, createdAtMs: nowMs, missing: [{ fromMs: a.fromMs, toMs: a.toMs }] },
          { ...b, createdAtMs: nowMs, missing: [{ fromMs: b.fromMs, toMs: b.toMs }] },
        ]);
        expect(await catalog.findGaps({ ...oldest, cameraIds: ["none"] })).toEqual([]);
        const newer = newCamera();
        await catalog.saveGaps([{ ...gap(newer, nowMs, nowMs + 1), cause: "of_a_newer_release" }], nowMs);
        const [told] = await catalog.findGaps({ ...oldest, cameraIds: [newer] });
        expect(told?.cause).toBe("unknown");
        expect(await catalog.findGaps({ ...oldest, cameraIds: [] })).toEqual([]);
      });

      test("miss only what no video covers, whichever came first", async () => {
        const [cameraId, other] = [newCamera(), newCamera()];
        const at = (minute: number) => nowMs + minute * 60_000;
        const footage = (minute: number, minutes: number, more: Partial<NewVideo> = {}) =>
          sampleVideo({ cameraId, startTimeMs: at(minute), durationMs: minutes * 60_000, ...more });
        await catalog.saveVideos([footage(-5, 10), footage(20, 10), footage(29, 5)], nowMs);
        const told = [gap(cameraId, at(0), at(60)), gap(cameraId, at(22), at(28)), gap(other, at(0), at(60))];
        await catalog.saveGaps(told, nowMs);
        const late = [footage(55, 10), footage(40, 10, { isMock: true }), footage(100, 10)];
        await catalog.saveVideos(late, nowMs);
        const minutes = (await catalog.findGaps({ ...oldest, cameraIds: [cameraId, other] })).map((each) => [
          each.cameraId === cameraId,
          ...each.missing.map(({ fromMs, toMs }) => [(fromMs - nowMs) / 60_000, (toMs - nowMs) / 60_000]),
        ]);
        expect(minutes.sort((a, b) => b.length - a.length)).toEqual([
          [true, [5, 20], [34, 55]],
          [false, [0, 60]],
          [true],
        ]);
      });

      test("of a range, page by page, are those that a look at each one finds", async () => {
        const cameraIds = [newCamera(), newCamera()];
        const lengthOf = (i: number) => (i % 13 === 0 ? 86_400_000 + i : i % 7 === 0 ? 20_000 : 500);
        const gaps = Array.from({ length: 60 }, (_, i) =>
          gap(cameraIds[i % 2] as string, i * 1000 - (i % 5), i * 1000 + lengthOf(i)),
        ).map((one) => ({ ...one, fromMs: one.fromMs + nowMs, toMs: one.toMs + nowMs }));
        await catalog.saveGaps(gaps, nowMs);
        const moment = fc
          .oneof(fc.integer({ min: -3_000, max: 80_000 }), fc.integer({ min: 86_390_000, max: 86_490_000 }))
          .map((ms) => nowMs + ms);
        const queries = fc.record({
          cameraIds: fc.subarray(cameraIds, { minLength: 1 }),
          range: fc.option(fc.tuple(moment, moment), { nil: undefined }),
          order: fc.constantFrom("newest_first" as const, "oldest_first" as const),
          limit: fc.integer({ min: 1, max: 70 }),
        });
        await fc.assert(
          fc.asyncProperty(queries, async ({ cameraIds: asked, range, order, limit }) => {
            const [fromMs, toMs] = range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
            const sign = order === "newest_first" ? -1 : 1;
            const expected = gaps
              .filter((one) => asked.includes(one.cameraId) && one.toMs > fromMs && one.fromMs < toMs)
              .sort((a, b) => sign * (a.fromMs - b.fromMs || (a.gapId < b.gapId ? -1 : 1)));
            const found: Gap[] = [];
            for (let after: PageKey | undefined; ; ) {
              const page = await catalog.findGaps({
                ...{ cameraIds: asked, order, limit },
                ...(range && { fromMs, toMs }),
                ...(after && { after }),
              });
              found.push(...page);
              const last = page.at(-1);
              if (!last || page.length < limit) break;
              after = { startTimeMs: last.fromMs, videoId: last.gapId };
            }
            expect(found.map(({ gapId }) => gapId)).toEqual(expected.map(({ gapId }) => gapId));
          }),
          { numRuns: 200 },
        );
      });
    });

    describe("nodes", () => {
      test("register, beat, register again: the heartbeat stays, the rest is new", async () => {
        const node = sampleNode("pi-1");
        await catalog.saveNode(node, [{ cameraId: "gate", nodeId: "pi-1", name: "Gate", source: "rtsp" }]);
        const beat = {
          atMs: nowMs,
          ipAddress: "10.0.0.9",
          softwareVersion: "2",
          configVersion: "b",
          json: '{"a":1}',
        };
        expect(await catalog.saveHeartbeat("pi-1", beat)).toBe(true);
        const find = async () => (await catalog.listNodes()).find(({ nodeId }) => nodeId === "pi-1");
        const { atMs, json, ...columns } = beat;
        expect(await find()).toEqual({ ...node, ...columns, lastHeartbeatMs: atMs, lastHeartbeatJson: json });

        const again = { ...node, timeZone: "Europe/Berlin", registeredAtMs: nowMs + 5 };
        await catalog.saveNode(again, [
          { cameraId: "gate", nodeId: "pi-1", name: "Main gate", source: "v4l2" },
        ]);
        expect(await find()).toEqual({ ...again, lastHeartbeatMs: atMs, lastHeartbeatJson: json });
        expect((await catalog.listCameras()).find(({ cameraId }) => cameraId === "gate")).toEqual({
          cameraId: "gate",
          nodeId: "pi-1",
          name: "Main gate",
          source: "v4l2",
        });
      });

      test("a heartbeat of a node that is not known changes nothing", async () => {
        const beat = { atMs: nowMs, ipAddress: "::1", softwareVersion: "1", configVersion: "a", json: "{}" };
        expect(await catalog.saveHeartbeat("nobody", beat)).toBe(false);
        expect((await catalog.listNodes()).some(({ nodeId }) => nodeId === "nobody")).toBe(false);
      });

      test("before the first heartbeat there is none; lists are in order", async () => {
        await catalog.saveNode(sampleNode("z"), []);
        await catalog.saveNode(sampleNode("a"), []);
        const nodes = await catalog.listNodes();
        expect(nodes.find(({ nodeId }) => nodeId === "z")).toMatchObject({
          lastHeartbeatMs: null,
          lastHeartbeatJson: null,
        });
        const ids = nodes.map(({ nodeId }) => nodeId);
        expect(ids).toEqual(ids.toSorted());
        const cameraIds = (await catalog.listCameras()).map(({ cameraId }) => cameraId);
        expect(cameraIds).toEqual(cameraIds.toSorted());
      });
    });

    test("ping answers, and throws once closed", async () => {
      const other = await open();
      await other.ping();
      await other.close();
      await expect(other.ping()).rejects.toThrow();
    });
  });
}

function sampleNode(nodeId: string): NewNode {
  return {
    nodeId,
    ipAddress: "10.0.0.1",
    registeredAtMs: nowMs,
    softwareVersion: "0.1.0",
    configVersion: "abc",
    timeZone: "Asia/Seoul",
    segmentSeconds: 600,
  };
}

/** Three cameras over ten days, enough that a search goes in steps, some overlapping, some long, in two zones, with every status. */
async function fillForSearch(catalog: Catalog): Promise<Video[]> {
  const start = Date.parse("2025-10-15T00:00:00Z");
  const videos: NewVideo[] = [];
  for (let i = 0; i < 1_400; i++) {
    const cameraId = ["cam01", "cam02", "x"][i % 3] as string;
    const durationMs = i % 40 === 7 ? 30 * 3_600_000 : [1_000, 60_000, 600_000, 3_600_000][i % 4];
    const timeZone = i % 3 === 0 ? "Europe/Berlin" : "Asia/Seoul";
    // Neighbours share their start every now and then, so that the id has to decide.
    const startTimeMs = start + Math.floor(i / 2) * 1_217_000;
    videos.push(
      sampleVideo({
        cameraId,
        nodeId: `node0${i % 2}`,
        startTimeMs,
        ...(durationMs === undefined ? {} : { durationMs }),
        timeZone,
        fileSizeBytes: (i * 7_919) % 1_000,
      }),
    );
  }
  await catalog.saveVideos(videos, nowMs);
  for (const [i, video] of videos.entries()) {
    if (i % 111 === 0) await catalog.updateVideoStatus(video.videoId, "missing");
    if (i % 87 === 0) await catalog.updateVideoStatus(video.videoId, "damaged");
    if (i % 93 === 0) await catalog.updateVideoNotes(video.videoId, `Note ${i}_50% Car`);
  }
  const saved = await Promise.all(videos.map((video) => catalog.findVideo(video.videoId)));
  return saved.filter((video) => video !== undefined);
}

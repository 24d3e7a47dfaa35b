import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir, rename, rm, truncate, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import type { Video } from "../../../src/hub/db/catalog.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { startExportServer } from "./export-server.ts";
import { framesOfFile, outputOf } from "./frames.ts";

const startMs = Date.parse("2025-09-23T06:30:00.000Z");
let server: Awaited<ReturnType<typeof startExportServer>>;
let first: Video[];
let other: Video[];

beforeAll(async () => {
  server = await startExportServer();
  const run = { startTimeMs: startMs, size: "64x48" };
  first = await archiveTestRun(server.root, { ...run, secondsPerVideo: [3, 3] });
  other = await archiveTestRun(server.root, {
    ...run,
    cameraId: "cam02",
    secondsPerVideo: [4],
    negative: true,
  });
  server.add(...first, ...other);
});
afterAll(() => server[Symbol.asyncDispose]());

const at = (seconds: number) => new Date(startMs + seconds * 1000).toISOString();
const clip = (camera_id: string, from: number, to: number, more = {}) => ({
  ...{ camera_id, from: at(from), to: at(to) },
  ...more,
});
const post = (clips: unknown, on = server) =>
  fetch(`http://127.0.0.1:${on.port}/api/clips.zip`, {
    method: "POST",
    headers: { authorization: "Bearer k", "content-type": "application/json", connection: "close" },
    body: JSON.stringify({ clips }),
  });

interface Manifest {
  clips: {
    camera_id: string;
    cut: string;
    recorded_ms: number;
    missing: { cause: string }[];
    file: { path: string; file_size: number; file_sha256: string; duration_ms: number } | null;
  }[];
}

/** Unpacked by a program that is not ours. */
async function unpack(response: Response): Promise<{ folder: string; names: string[]; manifest: Manifest }> {
  expect(response.status).toBe(200);
  const folder = join(server.root, crypto.randomUUID());
  await mkdir(folder);
  await writeFile(join(folder, "x.zip"), await response.bytes());
  await outputOf([
    "python3",
    "-c",
    "import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])",
    join(folder, "x.zip"),
    folder,
  ]);
  await rm(join(folder, "x.zip"));
  const manifest = (await Bun.file(join(folder, "manifest.json")).json()) as Manifest;
  return { folder, names: readdirSync(folder).sort(), manifest };
}

const sha256 = async (path: string) =>
  new Bun.CryptoHasher("sha256").update(await Bun.file(path).bytes()).digest("hex");

describe("clips in a ZIP", () => {
  test("of several cameras and ranges play, and are what the manifest says", async () => {
    const response = await post([
      clip("cam01", 1, 5),
      clip("cam02", 0.5, 2.5),
      clip("cam01", 1, 5),
      clip("cam01", 2.5, 3.5, { cut: "keyframe" }),
    ]);
    expect(response.headers.get("content-disposition")).toBe(
      'attachment; filename="clips_2-cameras_20250923T063000Z.zip"',
    );
    const { folder, names, manifest } = await unpack(response);
    expect(names).toEqual([
      "cam01_20250923T063001Z-20250923T063005Z-2.mp4",
      "cam01_20250923T063001Z-20250923T063005Z.mp4",
      "cam01_20250923T063002Z-20250923T063004Z.mp4",
      "cam02_20250923T063000Z-20250923T063002Z.mp4",
      "manifest.json",
    ]);
    expect(manifest.clips.map(({ file }) => file?.duration_ms)).toEqual([4000, 2000, 4000, 2000]);
    for (const { file } of manifest.clips) {
      const path = join(folder, file!.path);
      expect([file!.file_size, file!.file_sha256]).toEqual([Bun.file(path).size, await sha256(path)]);
      expect((await framesOfFile(path)).length).toBe(file!.duration_ms / 100);
    }
  }, 60_000);

  test("say what is missing and why, and a range without any video has no file", async () => {
    server.gaps.push({
      ...{ gapId: "g", cameraId: "cam02", nodeId: "n", fromMs: startMs + 4_000, toMs: startMs + 6_000 },
      ...{ cause: "camera_failed", detail: "", createdAtMs: startMs, missing: [] },
    });
    const response = await server.get(`/api/clips.zip?camera_id=cam01,cam02,cam03&from=${at(0)}&to=${at(6)}`);
    const { manifest } = await unpack(response);
    expect(manifest.clips.map(({ recorded_ms, file }) => [recorded_ms, file === null])).toEqual([
      [6000, false],
      [4000, false],
      [0, true],
    ]);
    expect(manifest.clips[1]?.missing).toMatchObject([{ cause: "camera_failed" }]);
  });

  test("have the length that HEAD says", async () => {
    const path = `/api/clips.zip?camera_id=cam01,cam02&from=${at(1)}&to=${at(5)}`;
    const [head, get] = [await server.get(path, {}, "HEAD"), await server.get(path)];
    expect(head.headers.get("content-length")).toBe(String((await get.bytes()).length));
  });

  test.each([
    ["none", [], "clips"],
    ["too many", Array.from({ length: 65 }, () => clip("cam01", 0, 1)), "clips"],
    ["reversed", [clip("cam01", 0, 1), clip("cam01", 2, 1)], "clips.1.to"],
    ["empty", [clip("cam01", 2, 2)], "clips.0.to"],
    ["a day", [clip("cam01", 0, 86_400)], "clips.0.to"],
    ["five times six hours", Array.from({ length: 5 }, () => clip("cam01", 0, 21_600)), "clips"],
    ["a path for a camera", [clip("../etc", 0, 1)], "clips.0.camera_id"],
    ["no time", [{ ...clip("cam01", 0, 1), from: "now" }], "clips.0.from"],
    ["another cut", [clip("cam01", 0, 1, { cut: "nice" })], "clips.0.cut"],
    ["something else", [clip("cam01", 0, 1, { path: "/etc/passwd" })], "clips.0.path"],
  ])("%s: 400 that names the field", async (_, clips, field) => {
    const response = await post(clips);
    expect(response.status).toBe(400);
    const { issues } = (await response.json()) as { issues: { path: string }[] };
    expect(issues.map(({ path }) => path)).toContain(field);
  });

  test("of nothing that was recorded: 404; of two codings: 409 that names the range", async () => {
    expect((await post([clip("cam03", 0, 1), clip("cam01", 60, 61)])).status).toBe(404);
    await using mixed = await startExportServer();
    const run = { startTimeMs: startMs, secondsPerVideo: [1], size: "64x48" };
    mixed.add(...(await archiveTestRun(mixed.root, run)));
    mixed.add(...(await archiveTestRun(mixed.root, { ...run, startTimeMs: startMs + 1_000, size: "96x54" })));
    const response = await post([clip("cam01", 0, 1), clip("cam01", 0, 2)], mixed);
    expect(response.status).toBe(409);
    expect(((await response.json()) as { issues: { path: string }[] }).issues[0]?.path).toBe("clips.1");
  }, 60_000);
});

/** A client that takes the first bytes of an answer and no more. */
async function startReading(port: number, path: string) {
  const request = `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nConnection: close\r\n\r\n`;
  const socket = connect(port, "127.0.0.1", () => socket.write(request));
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(Buffer.from(chunk)));
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.on("close", resolve));
  await once(socket, "data");
  socket.pause();
  return {
    socket,
    async rest(): Promise<Buffer> {
      socket.resume();
      await closed;
      return Buffer.concat(chunks);
    },
  };
}

describe("a file that goes while it is sent", () => {
  // Larger than what waits in sockets and blocks.
  const run = { startTimeMs: startMs, size: "1280x720", noise: true };
  let big: Awaited<ReturnType<typeof startExportServer>>;
  let videos: Video[];
  beforeAll(async () => {
    big = await startExportServer();
    videos = await archiveTestRun(big.root, { ...run, secondsPerVideo: [2, 2, 2, 2] });
    big.add(...videos);
  }, 60_000);
  afterAll(() => big[Symbol.asyncDispose]());

  const query = `from=${at(0)}&to=${at(8)}`;
  test.each([
    ["a clip", `/api/cameras/cam01/clip.mp4?${query}`, "missing"],
    ["fragments", `/api/cameras/cam01/clip.mp4?${query}&format=fmp4`, "damaged"],
    ["a ZIP", `/api/clips.zip?camera_id=cam01&${query}`, "damaged"],
  ] as const)(
    "%s ends visibly short, the video is marked, and the next try does without",
    async (_, path, status) => {
      const last = videos.at(-1)!;
      const file = join(big.root, last.filePath);
      const bytes = await Bun.file(file).bytes();
      const answer = await startReading(big.port, path);
      if (status === "missing") await rm(file);
      else await truncate(file, Math.floor(bytes.length / 2));
      const text = (await answer.rest()).toString("latin1");
      expect(text.startsWith("HTTP/1.1 200")).toBe(true);
      // The chunk that says that all is there (RFC 9112 section 7.1).
      expect(text.endsWith("0\r\n\r\n")).toBe(false);
      expect(big.rows.get(last.videoId)?.status).toBe(status);
      const next = await big.get(path);
      expect(next.status).toBe(200);
      await next.bytes();
      await writeFile(file, bytes);
      big.add(last);
    },
    60_000,
  );

  test.each([
    ["a clip", `/api/cameras/cam01/clip.mp4?${query}`],
    ["a ZIP", `/api/clips.zip?camera_id=cam01&${query}`],
  ])("%s ends visibly short when another file comes into a place", async (_, path) => {
    const last = videos.at(-1)!;
    const file = join(big.root, last.filePath);
    const bytes = await Bun.file(file).bytes();
    const answer = await startReading(big.port, path);
    // As the file of another video would be: what is read of it is there.
    await writeFile(`${file}.new`, Buffer.concat([bytes.toReversed(), bytes]));
    await rename(`${file}.new`, file);
    expect((await answer.rest()).toString("latin1").endsWith("0\r\n\r\n")).toBe(false);
    expect(big.rows.get(last.videoId)?.status).toBe("damaged");
    await writeFile(file, bytes);
    big.add(last);
  });

  test("slow readers have a slot each, and leaving gives it back with every descriptor", async () => {
    const path = `/api/clips.zip?camera_id=cam01&${query}`;
    const before = readdirSync("/proc/self/fd").length;
    for (let round = 0; round < 3; round++) {
      const readers = await Promise.all(Array.from({ length: 4 }, () => startReading(big.port, path)));
      const refused = await big.get(path);
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
      for (const { socket } of readers) socket.destroy();
      let status = 503;
      for (const deadline = performance.now() + 20_000; status === 503 && performance.now() < deadline; ) {
        await Bun.sleep(20);
        status = (await big.get(path, {}, "HEAD")).status;
      }
      expect(status).toBe(200);
    }
    const descriptors = () => readdirSync("/proc/self/fd").length;
    for (
      const deadline = performance.now() + 20_000;
      descriptors() > before + 5 && performance.now() < deadline;
    ) {
      await Bun.sleep(20);
    }
    expect(descriptors()).toBeLessThanOrEqual(before + 5);
  }, 60_000);

  test("more than can be sent at a time are asked to come back, whatever they ask for", async () => {
    const ask = (i: number) =>
      big.get(`/api/cameras/cam01/clip.mp4?from=${at(i / 1000)}&to=${at(8)}`, {}, "HEAD");
    const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => ask(i)));
    const counts = Map.groupBy(answers, ({ status }) => status);
    expect([...counts.keys()].every((status) => status === 200 || status === 503)).toBe(true);
    expect(counts.get(200)?.length).toBeGreaterThan(0);
    expect((await ask(600)).status).toBe(200);
  }, 60_000);
});

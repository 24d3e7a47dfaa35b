import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { once } from "node:events";
import { rename, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { makeZip } from "client-zip";
import { runChild } from "../../../src/common/child-process.ts";
import { verifyFilesAndExports } from "../../../src/hub/cli-verify.ts";
import type { Video } from "../../../src/hub/db/catalog.ts";
import type { EvidenceManifest } from "../../../src/hub/export/evidence-manifest.ts";
import { verifyEvidence } from "../../../src/hub/export/verify-evidence.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { startExportServer } from "./export-server.ts";

const startMs = Date.parse("2025-09-23T06:30:00.000Z");
const query = "camera_id=cam01&from=2025-09-23T06:29:50Z&to=2025-09-23T06:30:10Z";

let server: Awaited<ReturnType<typeof startExportServer>>;
let videos: Video[];
let zip: Uint8Array;
let path: string;

beforeAll(async () => {
  server = await startExportServer();
  videos = await archiveTestRun(server.root, {
    startTimeMs: startMs,
    secondsPerVideo: [1, 1],
    size: "64x48",
  });
  server.add(...videos);
  server.gaps.push({
    ...{ gapId: "01997000-0000-7000-8000-000000000001", cameraId: "cam01", nodeId: "site-1" },
    ...{ fromMs: startMs + 2_000, toMs: startMs + 6_000, cause: "camera_failed" as const },
    ...{ detail: "no data", createdAtMs: startMs + 7_000 },
    missing: [{ fromMs: startMs + 2_000, toMs: startMs + 6_000 }],
  });
  const response = await server.get(`/api/evidence.zip?${query}`);
  expect(response.status).toBe(200);
  zip = await response.bytes();
  path = join(server.root, "export.zip");
  await writeFile(path, zip);
});
afterAll(() => server[Symbol.asyncDispose]());

/** Of a changed export. */
async function verifyBytes(bytes: Uint8Array) {
  const changed = join(server.root, "changed.zip");
  await writeFile(changed, bytes);
  return verifyEvidence(changed);
}

/** A ZIP with these files, made as the hub makes it. */
async function zipOf(files: readonly { name: string; input: string | Uint8Array }[]) {
  const lastModified = new Date(2025, 8, 23, 12);
  return new Response(makeZip(files.map((file) => ({ ...file, lastModified })))).bytes();
}

async function entriesOf(bytes: Uint8Array) {
  const from = join(server.root, `${crypto.randomUUID()}.zip`);
  const to = `${from}.d`;
  await writeFile(from, bytes);
  const { exitCode } = await runChild({
    argv: ["python3", "-m", "zipfile", "-e", from, to],
    timeoutMs: 10_000,
  });
  expect(exitCode).toBe(0);
  return to;
}

describe("an evidence export", () => {
  test("is a ZIP for every program, with sums that sha256sum checks", async () => {
    const folder = await entriesOf(zip);
    const { exitCode, stdout } = await runChild({
      argv: ["sha256sum", "--check", "SHA256SUMS"],
      cwd: folder,
      timeoutMs: 10_000,
    });
    expect(exitCode).toBe(0);
    expect(new TextDecoder().decode(stdout).match(/: OK/g)?.length).toBe(4);
    for (const video of videos) {
      const copy = await Bun.file(join(folder, "videos", video.filePath)).bytes();
      const original = await Bun.file(join(server.root, video.filePath)).bytes();
      expect(Buffer.compare(copy, original)).toBe(0);
    }
  });

  test("says what is there, what is missing, and why", async () => {
    const folder = await entriesOf(zip);
    const manifest = (await Bun.file(join(folder, "manifest.json")).json()) as EvidenceManifest;
    expect(manifest.ranges).toEqual([
      {
        camera_id: "cam01",
        from_time: "2025-09-23T06:29:50.000Z",
        to_time: "2025-09-23T06:30:10.000Z",
        expected_ms: 20_000,
        recorded_ms: 2_000,
        missing: [
          {
            from_time: "2025-09-23T06:29:50.000Z",
            to_time: "2025-09-23T06:30:00.000Z",
            cause: "unknown",
            detail: "",
          },
          {
            from_time: "2025-09-23T06:30:02.000Z",
            to_time: "2025-09-23T06:30:06.000Z",
            cause: "camera_failed",
            detail: "no data",
          },
          {
            from_time: "2025-09-23T06:30:06.000Z",
            to_time: "2025-09-23T06:30:10.000Z",
            cause: "unknown",
            detail: "",
          },
        ],
      },
    ]);
    expect(manifest.files.map((file) => [file.file_sha256, file.identity.recorded_sha256])).toEqual(
      videos.map((video) => [video.fileSha256, video.recordedSha256]),
    );
  });

  test("verifies, also by the command", async () => {
    expect(await verifyEvidence(path)).toMatchObject({ ok: true, sizeBytes: zip.length });
    let text = "";
    const out = { write: (part: string) => (text += part) };
    expect(await verifyFilesAndExports([path], { out, err: out })).toBe(0);
    expect(text).toContain("2 original files, unchanged since a hub made it");
    expect(text).toContain("2.000 s of 20.000 s recorded, 3 holes");
    expect(await verifyFilesAndExports([join(server.root, "none.zip")], { out, err: out })).toBe(2);
    await writeFile(join(server.root, "other.zip"), "no ZIP");
    expect(await verifyFilesAndExports([path, join(server.root, "other.zip")], { out, err: out })).toBe(1);
  });
});

describe("verify finds", () => {
  test("one changed bit, anywhere", async () => {
    // Every place outside of the videos' media takes a minute and was tried; here is every 23rd byte.
    for (let at = 0; at < zip.length; at += 23) {
      const changed = zip.slice();
      changed[at]! ^= 1 << ((at * 7 + 3) % 8);
      const report = await verifyBytes(changed);
      expect([at, report.ok]).toEqual([at, false]);
    }
  }, 60_000);

  test("an end that is missing, and one that is too long", async () => {
    for (const length of [0, 1, 21, 5_000, zip.length - 1]) {
      expect((await verifyBytes(zip.subarray(0, length))).ok).toBe(false);
    }
    expect((await verifyBytes(Buffer.concat([zip, Buffer.from([0])]))).ok).toBe(false);
  });

  test("files that were added, taken away, or taken from elsewhere", async () => {
    const folder = await entriesOf(zip);
    const names = [
      "HOW-TO-VERIFY.txt",
      "manifest.json",
      "SHA256SUMS",
      ...videos.map((v) => `videos/${v.filePath}`),
    ];
    const all = await Promise.all(
      names.map(async (name) => ({ name, input: await Bun.file(join(folder, name)).bytes() })),
    );
    expect((await verifyBytes(await zipOf(all))).ok).toBe(true);
    expect((await verifyBytes(await zipOf(all.slice(0, -1)))).ok).toBe(false);
    expect((await verifyBytes(await zipOf([...all, { name: "more.txt", input: "more" }]))).ok).toBe(false);
    expect((await verifyBytes(await zipOf([...all, all[0]!]))).ok).toBe(false);
    const swapped = [
      ...all.slice(0, 3),
      { ...all[3]!, input: all[4]!.input },
      { ...all[4]!, input: all[3]!.input },
    ];
    expect((await verifyBytes(await zipOf(swapped))).ok).toBe(false);
    expect((await verifyBytes(await zipOf([]))).ok).toBe(false);
    // A manifest and sums that agree with each other, and not with the video.
    const lie = (name: string) => {
      const entry = all.find((one) => one.name === name)!;
      const text = new TextDecoder().decode(entry.input).replaceAll(videos[0]!.fileSha256, "0".repeat(64));
      return { ...entry, input: text };
    };
    const manifest = lie("manifest.json");
    const sha256 = (input: string | Uint8Array) => new Bun.CryptoHasher("sha256").update(input).digest("hex");
    const sums = lie("SHA256SUMS");
    sums.input = sums.input.replace(sha256(all[1]!.input), sha256(manifest.input));
    expect((await verifyBytes(await zipOf([all[0]!, manifest, sums, ...all.slice(3)]))).ok).toBe(false);
  });
});

describe("an export that cannot be", () => {
  test.each([
    ["no camera", "from=2025-09-23T06:29:50Z&to=2025-09-23T06:30:10Z", "camera_id"],
    [
      "a path for a camera",
      "camera_id=../x&from=2025-09-23T06:29:50Z&to=2025-09-23T06:30:10Z",
      "camera_id.0",
    ],
    ["reversed", "camera_id=cam01&from=2025-09-23T06:30:10Z&to=2025-09-23T06:29:50Z", "to"],
    ["a year", "camera_id=cam01&from=2025-01-01T00:00:00Z&to=2025-12-31T00:00:00Z", "to"],
    ["no time", "camera_id=cam01&from=now&to=2025-09-23T06:29:50Z", "from"],
  ])("%s: 400 that names the field", async (_, wrong, field) => {
    const response = await server.get(`/api/evidence.zip?${wrong}`);
    expect(response.status).toBe(400);
    expect(
      ((await response.json()) as { issues: { path: string }[] }).issues.map((issue) => issue.path),
    ).toContain(field);
  });

  test("HEAD says how long it is", async () => {
    const path = `/api/evidence.zip?${query}`;
    const length = Number((await server.get(path, {}, "HEAD")).headers.get("content-length"));
    expect(length).toBe((await (await server.get(path)).bytes()).length);
  });

  test("nothing recorded: 404", async () => {
    const other = query.replace("cam01", "cam02");
    expect((await server.get(`/api/evidence.zip?${other}`)).status).toBe(404);
  });

  test("a file that is gone is told before it begins, and is a hole with a cause next time", async () => {
    await using other = await startExportServer();
    const own = await archiveTestRun(other.root, {
      startTimeMs: startMs,
      secondsPerVideo: [1, 1],
      size: "64x48",
    });
    other.add(...own);
    await rename(join(other.root, own[0]!.filePath), join(other.root, "elsewhere"));
    expect((await other.get(`/api/evidence.zip?${query}`)).status).toBe(503);
    const response = await other.get(`/api/evidence.zip?${query}`);
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.bytes()).includes('"video_missing"')).toBe(true);
  });

  test("a damaged file breaks the answer off and is marked", async () => {
    await using other = await startExportServer();
    const own = await archiveTestRun(other.root, {
      startTimeMs: startMs,
      secondsPerVideo: [1, 1],
      size: "64x48",
    });
    other.add(...own);
    const target = join(other.root, own[1]!.filePath);
    const bytes = Buffer.from(await Bun.file(target).bytes());
    bytes[bytes.length - 10]! ^= 1;
    await writeFile(target, bytes);
    // So early that the answer may not have begun for the client.
    const whole = other.get(`/api/evidence.zip?${query}`).then((response) => response.bytes());
    expect(await whole.catch(() => "broken off")).toBe("broken off");
    expect(other.rows.get(own[1]!.videoId)?.status).toBe("damaged");
  });

  test("one that its client leaves is no proof against the file", async () => {
    await using other = await startExportServer();
    const recipe = { startTimeMs: startMs, secondsPerVideo: [12], size: "640x360", noise: true };
    const [video] = await archiveTestRun(other.root, recipe);
    other.add(video!);
    for (let i = 0; i < 3; i++) await (await other.get(`/api/evidence.zip?${query}`)).body?.cancel();
    // Until the slots are free nothing has ended.
    const isAnswered = async () => (await other.get(`/api/evidence.zip?${query}`, {}, "HEAD")).status !== 503;
    while (!(await isAnswered())) await Bun.sleep(10);
    expect((await (await other.get(`/api/evidence.zip?${query}`)).bytes()).length).toBeGreaterThan(
      video!.fileSizeBytes,
    );
    expect(other.rows.get(video!.videoId)?.status).toBe("available");
  }, 60_000);

  test("more than four at once are asked to wait, and one that is left makes room", async () => {
    await using other = await startExportServer();
    const [video] = await archiveTestRun(other.root, {
      startTimeMs: startMs,
      secondsPerVideo: [20],
      size: "1920x1080",
    });
    other.add(video!);
    // Clients that take the first bytes and no more.
    const request = `GET /api/evidence.zip?${query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n\r\n`;
    const sockets = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const socket = connect(other.port, "127.0.0.1", () => socket.write(request));
        await once(socket, "data");
        return socket.pause();
      }),
    );
    expect((await other.get(`/api/evidence.zip?${query}`)).status).toBe(503);
    for (const socket of sockets) socket.destroy();
    const deadline = performance.now() + 30_000;
    let status = 503;
    while (status === 503 && performance.now() < deadline) {
      await Bun.sleep(50);
      const response = await other.get(`/api/evidence.zip?${query}`, {}, "HEAD");
      status = response.status;
    }
    expect(status).toBe(200);
    // A file that was left open is an error when it is collected, and ends the process.
    Bun.gc(true);
    await Bun.sleep(50);
    Bun.gc(true);
    await Bun.sleep(50);
  }, 60_000);
});

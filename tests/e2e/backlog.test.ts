import { expect, test } from "bun:test";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeBacklog } from "../../scripts/benchmarks/backlog.ts";
import { readMemory } from "../../scripts/benchmarks/process-usage.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { SpoolChecksum } from "../../src/edge/spool-checksum.ts";
import { EdgeProcess, type EdgeSite, makeEdgeSite } from "../support/edge-process.ts";
import { fakeHubKey, problem, startFakeHub } from "../support/fake-hub.ts";
import { sampleRecording, sampleStart, sampleStartMs, temporaryFolder } from "../support/sample-recording.ts";

/** Three days of segments of 26 s are 10,000: `scripts/simulate backlog`. */
const segments = Number(process.env.LIVECAM_BACKLOG_SEGMENTS ?? 300);
const isLong = process.env.LIVECAM_BACKLOG_SEGMENTS !== undefined;
const everyMs = 26_000;
const bytesPerSecond = Math.max(1_000_000, segments * 1000);
const cameraId = `t${crypto.randomUUID().slice(0, 8)}`;

async function setUp(folder: string, hubUrl: string) {
  const { init, fragments } = await sampleRecording();
  const bytes = Buffer.concat([init.bytes, ...fragments]);
  const checksum = new SpoolChecksum();
  checksum.update(bytes);
  const path = join(folder, "segment.mp4");
  await writeFile(path, bytes);
  const start = sampleStart();
  const recordedSha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const ended = { endTimeMs: start.startTimeMs + 2000, durationMs: 2000, fps: 10, recordedSha256 };
  const site = await makeEdgeSite(folder, {
    hubUrl,
    apiKey: fakeHubKey,
    cameras: [
      {
        id: cameraId,
        source: { type: "test", width: 192, height: 108, fps: 10, bitrate: 60_000, keyframe_seconds: 0.5 },
      },
    ],
    config: { upload: { order: "newest_first", max_bytes_per_second: bytesPerSecond } },
  });
  const backlog = await makeBacklog({
    spool: site.spool,
    segment: { path, identity: { ...start, ...ended }, spoolChecksum: checksum.digest() },
    cameraIds: ["cam01"],
    segmentsPerCamera: segments,
    everyMs,
    startTimeMs: sampleStartMs - segments * everyMs,
  });
  return { site, backlog };
}

async function changeUpload(site: EdgeSite, upload: Record<string, unknown>): Promise<void> {
  const config = JSON.parse(await readFile(site.configPath, "utf8"));
  config.upload = { destination: config.upload.destination, ...upload };
  await writeFile(site.configPath, JSON.stringify(config));
}

test("days of segments go out in the configured order within the limit, while recording and hub are not disturbed", async () => {
  await using folder = await temporaryFolder();
  await using hub = startFakeHub();
  const { site, backlog } = await setUp(folder.path, hub.url);
  let announces = 0;
  hub.fault = ({ url }) => {
    if (!url.endsWith("/announce")) return undefined;
    announces++;
    return problem(503, "unavailable");
  };
  const startedAtMs = performance.now();
  const edge = new EdgeProcess(site);
  await using _ending = {
    async [Symbol.asyncDispose]() {
      edge.kill("SIGKILL");
      await edge.exited;
    },
  };
  const isOfBacklog = new Set(backlog.videoIds);
  /** Of the backlog, of which the edge has said so, in that order. */
  const said = (message: string) =>
    edge.log
      .filter((line) => line.message === message)
      .map(({ properties }) => String(properties.video_id))
      .filter((id) => isOfBacklog.has(id));

  // Newest first, and not faster than allowed: an upload that is slow for other reasons is none the worse for it.
  const third = Math.floor(segments / 3);
  await edge.logged("archived", third);
  const elapsedMs = performance.now() - startedAtMs;
  const sentBytes = edge.log
    .filter(({ message }) => message === "archived")
    .reduce((sum, { properties }) => sum + Number(properties.file_size), 0);
  expect(sentBytes).toBeLessThan((bytesPerSecond * (elapsedMs + 500)) / 1000);
  const rssEarly = (await readMemory(edge.pid))?.rssBytes ?? 0;

  // The rest in the other order, as fast as it goes. Held meanwhile, so that a slow test finds no quick edge done.
  edge.kill("SIGSTOP");
  await changeUpload(site, { order: "oldest_first" });
  edge.kill("SIGHUP");
  edge.kill("SIGCONT");
  await edge.logged("the changed config is put in force");
  const client = new ControlClient(site.socket);
  const statusMs: number[] = [];
  while (said("archived").length < segments) {
    const askedAtMs = performance.now();
    await client.status();
    statusMs.push(performance.now() - askedAtMs);
    await Bun.sleep(isLong ? 250 : 20);
  }
  const took = performance.now() - startedAtMs - elapsedMs;
  const begun = said("uploading");
  const turn = begun.indexOf(backlog.videoIds[0] ?? "");
  // The camera was recorded meanwhile, and its segments are the newest.
  expect(turn).toBeGreaterThan(third / 2);
  expect(turn).toBeLessThan(segments - third);
  expect(begun.slice(0, turn)).toEqual(backlog.videoIds.toReversed().slice(0, turn));
  expect(begun.slice(turn)).toEqual(backlog.videoIds.slice(0, segments - turn));
  const rssLate = (await readMemory(edge.pid))?.rssBytes ?? 0;

  // A hub that is back gets all of it in a few requests, not one for each.
  const triedInVain = announces;
  hub.fault = undefined;
  hub.announces.length = 0;
  while (backlog.videoIds.some((id) => !hub.videos.has(id))) await Bun.sleep(20);
  const live = [...hub.videos.values()].filter((video) => video.camera_id === cameraId);
  expect(hub.announces.length).toBeLessThanOrEqual(Math.ceil(segments / 200) + live.length);
  expect(Math.max(...hub.announces.map((ids) => ids.length))).toBeLessThanOrEqual(200);
  await edge.stop();

  // Meanwhile the camera was recorded, in one run, and each segment begins where the one before ends.
  const recorded = [...hub.videos.values()]
    .filter((video) => video.camera_id === cameraId)
    .sort((one, other) => one.start_time - other.start_time);
  expect(recorded.length).toBeGreaterThan(1);
  expect(new Set(recorded.map(({ run_id }) => run_id)).size).toBe(1);
  for (const [i, video] of recorded.slice(1).entries()) {
    expect(video.sequence).toBe((recorded[i]?.sequence ?? Number.NaN) + 1);
    expect(Math.abs(video.start_time - (recorded[i]?.end_time ?? 0))).toBeLessThanOrEqual(1);
  }
  expect([...hub.gaps.values()].filter((gap) => gap.camera_id === cameraId)).toEqual([]);

  if (!isLong) return;
  statusMs.sort((a, b) => a - b);
  console.log(
    [
      `${segments} segments of ${(backlog.sizeBytes / segments / 1e3).toFixed(0)} kB`,
      `without the limit ${(((segments - turn) / took) * 1000).toFixed(0)} a second`,
      `status ${statusMs[statusMs.length >> 1]?.toFixed(0)} ms in the median, ${statusMs.at(-1)?.toFixed(0)} at most`,
      `memory of the edge ${(rssEarly / 1e6).toFixed(0)} MB after a third, ${(rssLate / 1e6).toFixed(0)} at the end`,
      `${triedInVain} announces refused, ${hub.announces.length} to deliver all`,
    ].join("\n"),
  );
  expect(rssLate - rssEarly).toBeLessThan(40e6);
}, 1_200_000);

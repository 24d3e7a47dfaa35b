import { expect, setDefaultTimeout } from "bun:test";
import { sleep, systemClock } from "../../../../src/common/clock.ts";
import { newApiKey } from "../../../../src/hub/auth/api-key.ts";
import type { Video } from "../../../../src/hub/db/catalog.ts";
import { openStorage } from "../../../../src/hub/storage.ts";
import { archiveTestRun } from "../../../support/archived-run.ts";
import { canHang, cannotHang, openHangingFolder } from "../../../support/hanging-folder.ts";
import { startHubProcess } from "../../../support/hub-process.ts";
import { processesWith } from "../../../support/processes-with.ts";
import { temporaryFolder } from "../../../support/sample-recording.ts";
import { sampleVideo } from "../../../support/sample-videos.ts";
import { openTestHub } from "../../../support/test-hub.ts";
import { testIf } from "../../../support/test-if.ts";

setDefaultTimeout(120_000);
const whereItCanHang = testIf(canHang, cannotHang);
const startTimeMs = Date.UTC(2025, 8, 23, 6, 30);

whereItCanHang(
  "a NAS that hangs takes its videos with it and nothing else, and they play again",
  async () => {
    await using folder = await openHangingFolder();
    // Workers by the file system found: nothing is configured.
    await using hub = await openTestHub({ config: { archive_path: folder.path } });
    const videos = await archiveTestRun(folder.real, { startTimeMs, secondsPerVideo: [2, 2] });
    await hub.announce(videos);
    const [video, other] = videos as [Video, Video];
    const stream = `/api/videos/${video.videoId}/stream`;
    const playlist = `/api/cameras/cam01/hls.m3u8?from=2025-09-23T06:00:00Z&to=2025-09-23T07:00:00Z`;
    const clip = `/api/cameras/cam01/clip.mp4?from=2025-09-23T06:30:00Z&to=2025-09-23T06:30:04Z`;
    const thumbnail = `/api/videos/${video.videoId}/thumbnail`;
    const media = [stream, playlist, thumbnail, `/api/videos/${other.videoId}/stream`];
    const answersOf = (paths: readonly string[]) =>
      Promise.all(
        paths.map(async (path) => {
          const response = await hub.get(path);
          await response.arrayBuffer();
          return [path, response.status, response.headers.get("retry-after")];
        }),
      );
    const all = (status: number, retryAfter: string | null) =>
      media.map((path) => [path, status, retryAfter]);
    expect(await answersOf(media)).toEqual(all(200, null));
    expect((await hub.get(clip)).status).toBe(200);

    folder.hang();
    // All of it at once, and what is not media is answered while media still waits.
    const waiting = answersOf([stream, ...media]);
    const isMediaAnswered = waiting.then(() => true);
    expect((await hub.get("/api/videos")).status).toBe(200);
    expect((await hub.get("/api/health")).status).toBeLessThan(600);
    expect((await hub.get("/api/health/live")).status).toBe(200);
    expect((await hub.announce([sampleVideo({ cameraId: "cam09" })])).status).toBe(200);
    expect(await hub.signIn()).toStartWith("livecam_session=");
    expect(await Promise.race([isMediaAnswered, Promise.resolve(false)])).toBe(false);
    const refused = await waiting;
    // What is remembered of a file is told without it.
    expect(refused).toEqual(
      [stream, ...media].map((path) => (path === playlist ? [path, 200, null] : [path, 503, "5"])),
    );
    expect((await hub.get(clip.replace("06:30:04", "06:30:03"))).status).toBe(503);
    const row = (await (await hub.get(`/api/videos/${video.videoId}`)).json()) as { status: string };
    expect(row.status).toBe("available");

    folder.resume();
    while ((await hub.get(stream)).status !== 200) await sleep(100);
    expect(await answersOf(media)).toEqual(all(200, null));
    expect((await hub.get(clip)).status).toBe(200);
  },
);

whereItCanHang("a hub that is killed leaves no worker", async () => {
  await using folder = await openHangingFolder();
  await using data = await temporaryFolder();
  const [video] = (await archiveTestRun(folder.real, { startTimeMs, secondsPerVideo: [2] })) as [Video];
  const { text, key } = newApiKey({ kind: "client", name: "test", nodeId: null }, 0);
  {
    await using storage = await openStorage(data.path, systemClock);
    await storage.keys.add(key);
    await storage.catalog.saveVideos([video], startTimeMs);
  }
  await using hub = await startHubProcess({ data: data.path, archive: folder.path, leavesOrphans: true });
  const headers = { authorization: `Bearer ${text}` };
  const response = await fetch(`${hub.url}/api/videos/${video.videoId}/stream`, { headers });
  expect((await response.arrayBuffer()).byteLength).toBe(video.fileSizeBytes);
  expect(await processesWith("media-worker", folder.path)).not.toEqual([]);
  hub.child.kill("SIGKILL");
  while ((await processesWith("media-worker", folder.path)).length > 0) await sleep(20);
});

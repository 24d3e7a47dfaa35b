import { expect, test } from "bun:test";
import { join } from "node:path";
import { readArchiveFile } from "../../src/common/mp4/archive-file.ts";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { testArchiveId } from "../contract/archive-destination.contract.ts";
import { EdgeProcess, makeEdgeSite, processesWith, videosIn } from "../support/edge-process.ts";
import { fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

test("a camera that gives nothing: the picture in its place is archived and announced as no footage, and the state does not lie", async () => {
  await using folder = await temporaryFolder();
  await using hub = startFakeHub();
  hub.archiveId = testArchiveId;
  const cameraId = `t${crypto.randomUUID().slice(0, 8)}`;
  const site = await makeEdgeSite(folder.path, {
    ...{ hubUrl: hub.url, apiKey: fakeHubKey },
    cameras: [{ id: cameraId, source: { type: "file", path: join(folder.path, "nothing.mp4") } }],
    config: { recording: { fallback_after_failures: 1 } },
  });
  const edge = new EdgeProcess(site);
  try {
    await edge.logged("acknowledged");
    const [camera] = (await new ControlClient(site.socket).status()).cameras;
    expect(camera?.state).toBeOneOf(["starting", "retrying"]);
    expect(camera).toMatchObject({ last_fragment_at: null, fallback_since: expect.any(String) });
    const isTold = () =>
      hub.heartbeats.some(({ cameras: [told] }) => typeof told?.fallback_since === "number");
    while (!isTold()) await Bun.sleep(50);
    expect(await edge.stop()).toBe(0);
  } finally {
    edge.kill("SIGKILL");
    await edge.exited;
  }
  expect(await processesWith(cameraId)).toEqual([]);

  const paths = await videosIn(site.archive);
  expect(paths.length).toBeGreaterThanOrEqual(1);
  for (const path of paths) {
    const whole = await verifyArchiveFile(join(site.archive, path));
    expect(whole).toMatchObject({ ok: true, problems: [] });
    const { identity } = await readArchiveFile(join(site.archive, path));
    expect(identity).toMatchObject({ isMock: true, width: 640, height: 360, fps: 1 });
  }
  const announced = [...hub.videos.values()];
  expect(announced.map(({ file_path }) => file_path).sort()).toEqual(paths);
  expect(announced.every(({ mock }) => mock === true)).toBe(true);
  const told = hub.heartbeats.flatMap(({ cameras }) => cameras);
  expect(told.some(({ state }) => state === "recording")).toBe(false);
}, 180_000);

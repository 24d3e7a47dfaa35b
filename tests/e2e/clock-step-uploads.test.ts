import { expect } from "bun:test";
import { rename } from "node:fs/promises";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { testArchiveId } from "../contract/archive-destination.contract.ts";
import { EdgeProcess, makeEdgeSite, videosIn } from "../support/edge-process.ts";
import { fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { FakeTime, faketimeLibrary } from "../support/fake-time.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { testIf } from "../support/test-if.ts";

const testWithFakeTime = testIf(faketimeLibrary !== undefined, "libfaketime is not installed");

/** A node in Seoul whose wall clock shows `wall` (UTC), with uploads from 14:00 to 16:00 (05:00 to 07:00 UTC). */
async function setUp(wall: string, config: Record<string, object> = {}) {
  const folder = await temporaryFolder();
  const hub = startFakeHub();
  hub.archiveId = testArchiveId;
  const source = { type: "test", width: 192, height: 108, fps: 10, bitrate: 60_000, keyframe_seconds: 0.5 };
  const site = await makeEdgeSite(folder.path, {
    hubUrl: hub.url,
    apiKey: fakeHubKey,
    cameras: [{ id: "cam01", source }],
    config: { ...config, upload: { windows: ["14:00-16:00"], check_cron: "*/2 * * * * *" } },
  });
  const offsetOf = (time: string) => Math.round((Date.parse(time) - Date.now()) / 1000);
  const time = await FakeTime.create(folder.path, offsetOf(wall));
  const edge = new EdgeProcess(site, { env: time.env });
  const client = new ControlClient(site.socket);
  let ended = false;
  edge.exited.then(() => {
    ended = true;
  });
  return {
    ...{ site, edge, client },
    setWall: (to: string) => time.set(offsetOf(to)),
    status: async () => (await client.status().catch(() => undefined)) ?? undefined,
    archived: async () => (await videosIn(site.archive)).length,
    async until(holds: () => Promise<boolean>) {
      while (!(await holds())) {
        if (ended) throw new Error(`the edge ended:\n${edge.tail()}`);
        await Bun.sleep(50);
      }
    },
    async [Symbol.asyncDispose]() {
      edge.kill("SIGKILL");
      await edge.exited;
      await hub[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

type At = Awaited<ReturnType<typeof setUp>>;

/** Waits for so many segments more, of which none goes out. */
async function expectHeld(at: At, more: number): Promise<void> {
  await at.until(async () => (await at.status())?.uploads.state === "outside_window");
  const archived = await at.archived();
  const waiting = (await at.status())?.spool.waiting_segments ?? 0;
  await at.until(async () => ((await at.status())?.spool.waiting_segments ?? 0) >= waiting + more);
  expect(await at.archived()).toBe(archived);
}

async function expectDelivered(at: At): Promise<void> {
  const before = await at.archived();
  await at.until(async () => (await at.archived()) >= before + 2);
}

testWithFakeTime(
  "the clock is set 3 hours forward into the window, within it, and 3 hours back out of it: uploads follow it",
  async () => {
    await using at = await setUp("2026-06-10T03:00:00Z");
    await expectHeld(at, 2);
    expect(await at.archived()).toBe(0);
    await at.setWall("2026-06-10T06:00:00Z");
    await expectDelivered(at);

    // An archive that is away is looked after all the same, and not in an hour.
    await rename(at.site.archive, `${at.site.archive}-away`);
    await at.edge.logged("an upload failed");
    await at.setWall("2026-06-10T05:00:30Z");
    await rename(`${at.site.archive}-away`, at.site.archive);
    await expectDelivered(at);

    await at.setWall("2026-06-10T03:00:00Z");
    await expectHeld(at, 2);
    await at.setWall("2026-06-10T09:00:00Z");
    await expectHeld(at, 2);
    expect(await at.edge.stop()).toBe(0);
  },
  600_000,
);

testWithFakeTime(
  "a clock that is not set yet opens no window for what waits for its date; set late, into the window, all of it goes out",
  async () => {
    // 14:30 in Seoul, on the first day of 1970.
    await using at = await setUp("1970-01-01T05:30:00Z");
    await at.until(async () => ((await at.status())?.spool.waiting_segments ?? 0) >= 2);
    expect(await at.archived()).toBe(0);
    await at.setWall("2026-06-10T04:59:50Z");
    await expectDelivered(at);
    const names = await videosIn(at.site.archive);
    for (const name of names) expect(name).toContain("2026-06-10/cam01_20260610_1");
    expect(await at.edge.stop()).toBe(0);
  },
  600_000,
);

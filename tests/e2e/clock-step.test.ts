import { expect } from "bun:test";
import { join } from "node:path";
import { readArchiveFile } from "../../src/common/mp4/archive-file.ts";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import type { SegmentIdentity } from "../../src/common/segment-identity.ts";
import { testArchiveId } from "../contract/archive-destination.contract.ts";
import { EdgeProcess, makeEdgeSite, videosIn } from "../support/edge-process.ts";
import { fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { FakeTime, faketimeLibrary } from "../support/fake-time.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { testIf } from "../support/test-if.ts";

const testWithFakeTime = testIf(faketimeLibrary !== undefined, "libfaketime is not installed");
const gopMs = 500;

async function setUp(offsetSeconds: number) {
  const folder = await temporaryFolder();
  const hub = startFakeHub();
  hub.archiveId = testArchiveId;
  const source = { type: "test", width: 192, height: 108, fps: 10, bitrate: 60_000, keyframe_seconds: 0.5 };
  const site = await makeEdgeSite(folder.path, {
    hubUrl: hub.url,
    apiKey: fakeHubKey,
    cameras: [{ id: "cam01", source }],
  });
  const time = await FakeTime.create(folder.path, offsetSeconds);
  const edge = new EdgeProcess(site, { env: time.env });
  return {
    site,
    time,
    edge,
    hub,
    async [Symbol.asyncDispose]() {
      edge.kill("SIGKILL");
      await edge.exited;
      await hub[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

interface Archived extends SegmentIdentity {
  path: string;
  /** Where it begins in the stream of the capture process, which knows of no wall clock. */
  mediaMs: number;
}

/** In the order in which they were recorded. */
async function archivedIn(archive: string): Promise<Archived[]> {
  const archived: Archived[] = [];
  for (const path of await videosIn(archive)) {
    const file = join(archive, path);
    expect(await verifyArchiveFile(file)).toMatchObject({ ok: true, problems: [] });
    const { identity, fragments, init } = await readArchiveFile(file);
    const first = fragments[0]!;
    const bytes = Buffer.from(
      await Bun.file(file)
        .slice(first.offset, first.offset + 1000)
        .arrayBuffer(),
    );
    // ISO/IEC 14496-12, 8.8.12: version and flags, then the time, of 64 bits in version 1.
    const at = bytes.indexOf("tfdt") + 4;
    const ticks = bytes[at] === 1 ? Number(bytes.readBigUInt64BE(at + 4)) : bytes.readUInt32BE(at + 4);
    archived.push({ ...identity, path, mediaMs: Math.round((ticks * 1000) / init.video.timescale) });
  }
  return archived.sort((a, b) => a.mediaMs - b.mediaMs);
}

testWithFakeTime(
  "the clock is set back, far back and forward while it records: no fragment is lost, nothing is overwritten",
  async () => {
    await using at = await setUp(0);
    const startedMs = Date.now();
    await at.edge.logged("archived", 3);
    for (const [n, offset] of [-6, -3606, 0].entries()) {
      await at.time.set(offset);
      await at.edge.logged("the clock was set; segments follow it from here on", n + 1);
      // The first of the new run too, so that the second has begun, at a time by the clock that was there before.
      await at.edge.logged("archived", 5 + n);
    }
    expect(await at.edge.stop()).toBe(0);
    const endedMs = Date.now();

    const segments = await archivedIn(at.site.archive);
    for (const [i, segment] of segments.entries()) {
      const next = segments[i + 1];
      expect(segment.clockState).toBe("synced");
      if (!next) continue;
      // One capture process: what follows in the stream is in the next file.
      expect(next.mediaMs).toBe(segment.mediaMs + segment.durationMs);
      if (next.runId !== segment.runId) continue;
      expect([next.sequence, next.startTimeMs]).toEqual([segment.sequence + 1, segment.endTimeMs]);
    }
    const runs = [...new Set(segments.map(({ runId }) => runId))];
    const startOf = (runId: string | undefined) => segments.find((segment) => segment.runId === runId);
    const byMs = runs.slice(1).map((runId, i) => {
      const [before] = segments.filter((segment) => segment.runId === runs[i]).slice(-1);
      return (startOf(runId)?.startTimeMs ?? 0) - (before?.endTimeMs ?? 0);
    });
    // Each run is dated by when its first fragments arrived, which a busy machine brings late.
    const isNear = (ms: number, seconds: number) => Math.abs(ms - seconds * 1000) < 2_000;
    expect(byMs.length).toBe(3);
    for (const [i, seconds] of [-6, -3600, 3606].entries()) expect(isNear(byMs[i] ?? 0, seconds)).toBe(true);
    expect(segments.filter(({ path }) => path.endsWith("-2.mp4")).length).toBeGreaterThan(0);
    const gaps = [...at.hub.gaps.values()];
    expect(gaps.map(({ cause }) => cause)).toEqual(["clock_stepped"]);
    for (const { from_time, to_time } of gaps) expect(isNear(to_time - from_time, 3606)).toBe(true);
    // The last run is where the real clock is.
    const last = segments.filter(({ runId }) => runId === runs.at(-1));
    expect(last[0]?.startTimeMs).toBeGreaterThan(startedMs);
    expect(last.at(-1)?.endTimeMs).toBeLessThan(endedMs + gopMs);
  },
  180_000,
);

testWithFakeTime(
  "a machine that boots in 1970 records, and what it recorded is archived with its date when the clock is set",
  async () => {
    const bootedMs = Date.now();
    await using at = await setUp(-Math.round(bootedMs / 1000) + 30);
    await at.edge.logged("the clock is not set yet; what is recorded now gets its date when it is");
    while ((await closedNames(at.site.spool)).length < 2) await Bun.sleep(100);
    expect((await closedNames(at.site.spool)).every((name) => name.startsWith("cam01_19700101_09"))).toBe(
      true,
    );
    expect(await videosIn(at.site.archive)).toEqual([]);

    await at.time.set(0);
    await at.edge.logged("a segment was dated anew, now that the clock is set", 3);
    await at.edge.logged("archived", 5);
    expect(await at.edge.stop()).toBe(0);
    const endedMs = Date.now();

    const segments = await archivedIn(at.site.archive);
    const states = segments.map(({ clockState }) => clockState);
    expect(states.slice(0, 3)).toEqual(["corrected", "corrected", "corrected"]);
    expect(states.at(-1)).toBe("synced");
    for (const [i, { startTimeMs, endTimeMs, path }] of segments.entries()) {
      expect(startTimeMs).toBeGreaterThan(bootedMs);
      expect(endTimeMs).toBeLessThan(endedMs + gopMs);
      expect(path).not.toContain("1970");
      const next = segments[i + 1];
      if (!next) continue;
      // Through the correction too: the two clocks are read some hundredths apart, more on a busy machine.
      expect(Math.abs(next.startTimeMs - endTimeMs)).toBeLessThan(1000);
    }
    expect([...at.hub.gaps.values()]).toEqual([]);
  },
  180_000,
);

async function closedNames(spool: string): Promise<string[]> {
  return [...new Bun.Glob("*").scanSync({ cwd: join(spool, "closed"), onlyFiles: false })];
}

import { expect, test } from "bun:test";
import { join } from "node:path";
import type { SegmentStart } from "../../../src/edge/recorder/segment-sink.ts";
import type { Spool } from "../../../src/edge/spool/spool.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import {
  sampleRecording,
  sampleStart,
  sampleStartMs,
  temporaryFolder,
} from "../../support/sample-recording.ts";
import { openTestSpool } from "../../support/test-spool.ts";

test("a segment that is no footage is kept and delivered as such, and its time stays missing, through a restart", async () => {
  await using folder = await temporaryFolder();
  const root = join(folder.path, "spool");
  const clock = new FakeClock(sampleStartMs);
  const { init, fragments } = await sampleRecording();
  const record = async (spool: Spool, durationMs: number, about: Partial<SegmentStart> = {}) => {
    const startTimeMs = clock.wallMs();
    const wallOffsetMs = startTimeMs - clock.monotonicMs();
    const start = sampleStart({ startTimeMs, wallOffsetMs, ...about });
    const segment = await spool.sink.open(start, init.bytes);
    for (const fragment of fragments) await segment.append(fragment);
    clock.advance(durationMs);
    const end = { endTimeMs: clock.wallMs(), durationMs, fps: 10, clockState: "synced" as const };
    await segment.close({ ...end, endReason: "it ended" });
    return start;
  };
  const gapsOf = async (spool: Spool) => {
    await spool.gaps.flush();
    return spool.gapReports
      .pending()
      .map(({ from_time, to_time }) => ({ fromMs: Date.parse(from_time), toMs: Date.parse(to_time) }))
      .sort((a, b) => a.fromMs - b.fromMs);
  };
  const noLoad = new AbortController().signal;

  const lostMs = sampleStartMs + 2_000;
  let mockId: string;
  {
    using spool = await openTestSpool(root, { clock });
    spool.gaps.expect(["cam01"]);
    await spool.load(noLoad);
    await record(spool, 2_000);
    clock.advance(5_000);
    ({ videoId: mockId } = await record(spool, 60_000, { isMock: true }));
    expect(await gapsOf(spool)).toEqual([]);
  }
  using spool = await openTestSpool(root, { clock });
  spool.gaps.expect(["cam01"]);
  await spool.load(noLoad);
  clock.advance(3_000);
  const backMs = clock.wallMs();
  await record(spool, 2_000);
  const gaps = await gapsOf(spool);
  expect(gaps[0]?.fromMs).toBe(lostMs);
  expect(gaps.at(-1)?.toMs).toBe(backMs);
  expect(gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)).toBe(backMs - lostMs);

  const waiting = spool.uploads.waiting();
  const mocks = await Promise.all(
    waiting.map(async ({ videoId }) => (await spool.uploads.load(videoId)).identity.isMock === true),
  );
  expect(mocks).toEqual(waiting.map(({ videoId }) => videoId === mockId));
  expect(waiting).toHaveLength(3);
});

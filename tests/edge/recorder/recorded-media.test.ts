import { describe, expect, test } from "bun:test";
import { createLogger } from "../../../src/common/log.ts";
import { parseInitSegment } from "../../../src/common/mp4/init-segment.ts";
import { runCapture } from "../../../src/edge/camera/capture-run.ts";
import { copyVideo, ffmpegStart, fragmentedMp4Output } from "../../../src/edge/camera/ffmpeg-arguments.ts";
import { Recorder } from "../../../src/edge/recorder/recorder.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { type MemorySegment, MemorySink } from "../../support/memory-sink.ts";
import { picturesOf, type SourceKind, soundPacketsOf, sourceFile } from "../../support/source-files.ts";

const wall0 = Date.parse("2025-09-23T06:30:03.250Z");

/** Records a file as fast as ffmpeg gives it, on a clock that goes with the media. */
async function record(path: string, kind: SourceKind, segmentSeconds: number): Promise<MemorySegment[]> {
  const sink = new MemorySink();
  const clock = new FakeClock(wall0);
  const recorder = new Recorder({
    ...{ cameraId: "cam01", nodeId: "node01", timeZone: "Asia/Seoul", segmentSeconds },
    ...{ softwareVersion: "0.0.0-test", sink, clock, clockSync: () => "synced" as const },
    logger: createLogger("recorder"),
  });
  recorder.start();
  const end = await runCapture({
    plan: {
      commands: [
        {
          argv: [
            ...[...ffmpegStart, "-i", path, "-map", "0:v:0", "-map", "0:a:0?"],
            ...[...copyVideo(kind === "h265" ? "h265" : "h264"), "-c:a", "copy", ...fragmentedMp4Output],
          ],
        },
      ],
    },
    consumer: {
      onRunStart: (init) => recorder.onRunStart(init),
      async onFragment(fragment) {
        clock.advance(fragment.videoDurationMs);
        // The sink keeps what it is given.
        const kept = { ...fragment, bytes: fragment.bytes.slice() };
        await recorder.onFragment(kept, { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() });
      },
      onRunEnd: (reason) => recorder.onRunEnd(reason),
    },
    clock,
    stallMs: 30_000,
    startMs: 30_000,
    signal: new AbortController().signal,
    onStall: (reason) => {
      throw new Error(reason);
    },
  });
  expect(end.reason).toBe("ffmpeg ended");
  return sink.segments;
}

const whole = ({ initSegment, fragments }: MemorySegment) => Buffer.concat([initSegment, ...fragments]);

describe("what was recorded from", () => {
  test.each(["h264", "h264-b-frames-aac", "h265"] as const)(
    "%s is the source, frame for frame",
    async (kind) => {
      const path = await sourceFile(kind);
      const segments = await record(path, kind, 5);
      // 24 s from :03.25 on: cut at :05.25, :10.25, :15.25, :20.25, :25.25.
      expect(segments.map(({ end }) => end?.durationMs)).toEqual([2000, 5000, 5000, 5000, 5000, 2000]);
      expect(segments.map(({ end }) => end?.fps)).toEqual([25, 25, 25, 25, 25, 25]);
      expect(segments.at(-1)?.end?.endTimeMs).toBe(wall0 + 24_000);

      // Every segment is decoded by itself: it needs nothing of the one before.
      const pictures: string[] = [];
      const sound: string[] = [];
      const hasSound = kind === "h264-b-frames-aac";
      for (const segment of segments) {
        pictures.push(...(await picturesOf(whole(segment))));
        if (hasSound) sound.push(...(await soundPacketsOf(whole(segment))));
      }
      const expected = await picturesOf(path);
      expect(expected.length).toBe(600);
      expect(pictures).toEqual(expected);
      if (hasSound) expect(sound).toEqual(await soundPacketsOf(path));
    },
    60_000,
  );

  test("one run also plays as one file: decode times continue over the cuts", async () => {
    const path = await sourceFile("h264-b-frames-aac");
    const segments = await record(path, "h264-b-frames-aac", 5);
    const init = segments[0]?.initSegment ?? new Uint8Array();
    const joined = Buffer.concat([init, ...segments.flatMap(({ fragments }) => fragments)]);
    expect(await picturesOf(joined)).toEqual(await picturesOf(path));
    expect(await soundPacketsOf(joined)).toEqual(await soundPacketsOf(path));
  }, 60_000);

  test("B-frames and AAC keeps both delays in the edit lists, so picture and sound stay together", async () => {
    const [segment] = await record(await sourceFile("h264-b-frames-aac"), "h264-b-frames-aac", 60);
    const { video, audio } = parseInitSegment(segment?.initSegment ?? new Uint8Array());
    // Two frames of reordering, and the 1024 samples that prime an AAC decoder.
    expect(video.mediaTime / video.timescale).toBeCloseTo(2 / 25, 3);
    expect(audio?.mediaTime).toBe(1024);
    expect([video.emptyEditDuration, audio?.emptyEditDuration]).toEqual([0, 0]);
    expect(segment?.start.codec).toMatch(/^avc1\.[0-9a-f]{6},mp4a\.40\.2$/);
  }, 60_000);
});

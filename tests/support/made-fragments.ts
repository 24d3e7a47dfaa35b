import type { Fragment } from "../../src/common/mp4/fragment.ts";
import type { InitSegment, Track } from "../../src/common/mp4/init-segment.ts";

/** Not real media: for code that looks at times and flags only. 25 frames per second, ticks of 1/90,000 s. */
const timescale = 90_000;
const fps = 25;

export const madeInit = {
  bytes: new TextEncoder().encode("init"),
  movieTimescale: 1000,
  tracks: [],
  video: { trackId: 1, kind: "video", timescale, codec: "avc1.64001f", width: 640, height: 360 } as Track,
} as unknown as InitSegment;
(madeInit.tracks as Track[]).push(madeInit.video);

export function madeFragment(of: {
  startMs: number;
  durationMs: number;
  keyframe?: boolean;
  /** Sound alone. */
  audioOnly?: boolean;
  sizeBytes?: number;
}): Fragment {
  const { startMs, durationMs, keyframe = true, audioOnly = false, sizeBytes = 1000 } = of;
  const baseDecodeTime = Math.round((startMs * timescale) / 1000);
  const durationTicks = Math.round((durationMs * timescale) / 1000);
  const sampleCount = Math.max(1, Math.round((durationMs * fps) / 1000));
  const durations = new Uint32Array(sampleCount).fill(Math.floor(durationTicks / sampleCount));
  return {
    sequenceNumber: 1,
    sizeBytes,
    tracks: [
      {
        trackId: audioOnly ? 2 : 1,
        sampleDescriptionIndex: 1,
        baseDecodeTime,
        durationTicks,
        sampleCount,
        durations,
        sizes: new Uint32Array(sampleCount),
        compositionOffsets: new Int32Array(sampleCount),
        sync: new Uint8Array(sampleCount),
        offsets: new Uint32Array(sampleCount),
      },
    ],
    hasVideo: !audioOnly,
    startsWithKeyframe: keyframe && !audioOnly,
    videoDecodeTime: audioOnly ? 0 : baseDecodeTime,
    videoDurationTicks: audioOnly ? 0 : durationTicks,
    videoDurationMs: audioOnly ? 0 : durationMs,
    bytes: new Uint8Array(sizeBytes),
  };
}

import { latin1, u32s, writeBox } from "../../src/common/mp4/box-writer.ts";
import { syntheticInit, syntheticMoof } from "../common/mp4/synthetic-stream.ts";

const timescale = 90_000;
const samplesPerSecond = 10;

/** Init segment and fragments whose boxes are true and whose pictures are noise: for what reads no pictures. */
export const liveInit = new Uint8Array(syntheticInit([{ trackId: 1, kind: "video", timescale }]));

export function liveFragment(of: {
  startSeconds: number;
  seconds?: number;
  keyframe?: boolean;
  sampleBytes?: number;
}): Uint8Array<ArrayBuffer> {
  const { startSeconds, seconds = 1, keyframe = true, sampleBytes = 100 } = of;
  const count = Math.max(1, Math.round(seconds * samplesPerSecond));
  const moofOf = (dataOffset: number) =>
    syntheticMoof([
      {
        trackId: 1,
        decodeTime: Math.round(startSeconds * timescale),
        defaultDuration: Math.round((seconds * timescale) / count),
        defaultSize: sampleBytes,
        defaultFlags: 0x10000,
        runs: [
          {
            samples: Array.from({ length: count }, () => ({
              ...{ duration: 0, size: 0, flags: 0, compositionOffset: 0 },
            })),
            dataOffset,
            ...(keyframe && { firstFlags: 0 }),
          },
        ],
      },
    ]);
  const moof = moofOf(moofOf(0).length + 8);
  return new Uint8Array(Buffer.concat([moof, writeBox("mdat", new Uint8Array(count * sampleBytes))]));
}

/** Boxes that are whole and say nothing that belongs there. */
export const noFragment = new Uint8Array(
  Buffer.concat([writeBox("moof", u32s(1)), writeBox("mdat", latin1("text"))]),
);

import { FieldWriter, writeBox } from "../../../common/mp4/box-writer.ts";
import { type Box, readBoxes } from "../../../common/mp4/boxes.ts";
import { ByteCursor } from "../../../common/mp4/byte-cursor.ts";
import type { InitSegment, Track } from "../../../common/mp4/init-segment.ts";
import type { Picture } from "./quality.ts";

/** From `moov` down to the description of the samples. */
const containers = new Set(["moov", "trak", "mdia", "minf", "stbl"]);

/**
 * The recorded init segment with another picture in its video track: the transcoded one's description and its size.
 * Sound, time scales, edit lists and rotation stay, and so does every time in the fragments that belong to it.
 */
export function writeInit(init: InitSegment, transcoded: Track, picture: Picture): Uint8Array {
  const { bytes, video } = init;
  const write = (box: Box, isVideo: boolean): Uint8Array => {
    const own = bytes.subarray(box.start, box.end);
    if (box.type === "trak") isVideo = trackIdOf(bytes, box) === video.trackId;
    if (box.type === "tkhd" && isVideo) return withSize(own, picture);
    if (box.type === "stsd" && isVideo) return transcoded.sampleDescription;
    if (!containers.has(box.type) || (box.type !== "moov" && !isVideo)) return own;
    const children = [...readBoxes(bytes, box.contentStart, box.end)];
    return writeBox(box.type, ...children.map((child) => write(child, isVideo)));
  };
  return Buffer.concat([...readBoxes(bytes)].map((box) => write(box, false)));
}

function trackIdOf(bytes: Uint8Array, trak: Box): number | undefined {
  for (const box of readBoxes(bytes, trak.contentStart, trak.end)) {
    if (box.type !== "tkhd") continue;
    const header = ByteCursor.ofBox(bytes, box);
    header.skip(header.fullBox().version === 1 ? 16 : 8);
    return header.u32();
  }
  return undefined;
}

/** Width and height end `tkhd`, as 16.16 fixed point numbers (ISO/IEC 14496-12 8.3.2). */
function withSize(tkhd: Uint8Array, { width, height }: Picture): Uint8Array {
  const size = new FieldWriter(8).u32(width * 0x10000).u32(height * 0x10000).bytes;
  return Buffer.concat([tkhd.subarray(0, -8), size]);
}

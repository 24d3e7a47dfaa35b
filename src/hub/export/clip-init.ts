import { FieldWriter, u32s, writeBox, writeFullBox } from "../../common/mp4/box-writer.ts";
import { type Box, readBox, readBoxes } from "../../common/mp4/boxes.ts";
import type { InitSegment } from "../../common/mp4/init-segment.ts";

/**
 * The init segment of a run with edit lists (ISO/IEC 14496-12 8.6.6) that begin to present `leadSeconds` after time 0 of
 * the fragments, whatever its own began with, and with the length of all fragments (`mehd`, 8.8.2).
 */
export function writeClipInit(
  { bytes, tracks, movieTimescale }: InitSegment,
  times: { leadSeconds: number; durationSeconds: number },
): Uint8Array {
  const ofBox = (box: Box) => bytes.subarray(box.start, box.end);
  const childrenOf = (box: Box) => [...readBoxes(bytes, box.contentStart, box.end)];
  const timescales = tracks.map(({ timescale }) => timescale);

  const writeTrack = (trak: Box, timescale: number) =>
    writeBox(
      "trak",
      ...childrenOf(trak).flatMap((child) => {
        if (child.type === "edts") return [];
        if (child.type !== "tkhd") return [ofBox(child)];
        return [ofBox(child), writeBox("edts", writeEdit(Math.round(times.leadSeconds * timescale)))];
      }),
    );
  const writeExtends = (mvex: Box) => {
    const others = childrenOf(mvex).filter(({ type }) => type !== "mehd");
    const duration = new FieldWriter(8).u64(Math.round(times.durationSeconds * movieTimescale));
    return writeBox("mvex", writeFullBox("mehd", 1, 0, duration.bytes), ...others.map(ofBox));
  };

  const ftyp = readBox(bytes);
  const moov = [...readBoxes(bytes, ftyp.end)].find(({ type }) => type === "moov")!;
  const written = childrenOf(moov).map((child) => {
    if (child.type === "mvex") return writeExtends(child);
    // Tracks of neither picture nor sound are not known, and stay as they are.
    const isKnown = child.type === "trak" && childrenOf(child).some(isPictureOrSound);
    const timescale = isKnown ? timescales.shift() : undefined;
    return timescale === undefined ? ofBox(child) : writeTrack(child, timescale);
  });
  return Buffer.concat([ofBox(ftyp), writeBox("moov", ...written)]);

  function isPictureOrSound(child: Box): boolean {
    if (child.type !== "mdia") return false;
    const handler = childrenOf(child).find(({ type }) => type === "hdlr");
    if (handler === undefined) return false;
    const kind = String.fromCharCode(...bytes.subarray(handler.contentStart + 8, handler.contentStart + 12));
    return kind === "vide" || kind === "soun";
  }
}

/** Length 0: all that the fragments hold from there on. */
function writeEdit(mediaTime: number): Uint8Array {
  const elst = new FieldWriter(24).u32(1).u64(0).u64(mediaTime).raw(u32s(0x10000));
  return writeFullBox("elst", 1, 0, elst.bytes);
}

import { FieldWriter, u32s, writeBox, writeFullBox } from "../../../common/mp4/box-writer.ts";
import type { Track } from "../../../common/mp4/init-segment.ts";
import type { Keyframe } from "./read-keyframe.ts";

const defaultBaseIsMoof = 0x020000;
const hasSampleDescription = 0x000002;
const hasDataOffset = 0x000001;
const hasDuration = 0x000100;
const hasSize = 0x000200;
const hasFlags = 0x000400;
/** `sample_depends_on` 2: on no other (ISO/IEC 14496-12 8.8.3.1). */
const syncSample = 0x02000000;

/**
 * A fragment of one picture that is shown at the given second for a second, for the init segment that `track` is of
 * (ISO/IEC 14496-12 8.8). Its picture is not copied: the parts are to be written one after the other.
 */
export function writeStillFragment(
  track: Track,
  keyframe: Keyframe,
  second: number,
): [head: Uint8Array, picture: Uint8Array] {
  const { bytes, sampleDescriptionIndex } = keyframe;
  const moofWith = (dataOffset: number) =>
    writeBox(
      "moof",
      writeFullBox("mfhd", 0, 0, u32s(second + 1)),
      writeBox(
        "traf",
        writeFullBox(
          "tfhd",
          0,
          defaultBaseIsMoof | hasSampleDescription,
          u32s(track.trackId, sampleDescriptionIndex),
        ),
        writeFullBox("tfdt", 1, 0, new FieldWriter(8).u64(second * track.timescale).bytes),
        writeFullBox(
          "trun",
          0,
          hasDataOffset | hasDuration | hasSize | hasFlags,
          u32s(1, dataOffset, track.timescale, bytes.length, syncSample),
        ),
      ),
    );
  const moof = moofWith(moofWith(0).length + 8);
  const mdatHeader = new FieldWriter(8).u32(bytes.length + 8).u32(0x6d646174).bytes;
  return [Buffer.concat([moof, mdatHeader]), bytes];
}

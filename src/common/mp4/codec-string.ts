import { type Box, corrupt, findBox } from "./boxes.ts";
import { ByteCursor } from "./byte-cursor.ts";

const hex2 = (value: number) => value.toString(16).padStart(2, "0");

/**
 * The RFC 6381 name of a sample entry: `avc1.64001f`, `hvc1.1.6.L93.B0` (ISO/IEC 14496-15 Annex E), `mp4a.40.2`.
 * For codecs whose parameters we do not read, the four-character code alone. `configFrom` is where the child boxes
 * of the entry start, from its content. Throws `corrupt_file`.
 */
export function codecOfSampleEntry(bytes: Uint8Array, entry: Box, configFrom: number): string {
  const config = (type: string) => {
    const box = findBox(bytes, entry, type, configFrom);
    if (box === undefined) throw corrupt(`sample entry "${entry.type}" has no "${type}"`);
    return ByteCursor.ofBox(bytes, box);
  };
  switch (entry.type) {
    case "avc1":
    case "avc3":
      return `${entry.type}.${avcParameters(config("avcC"))}`;
    case "hvc1":
    case "hev1":
      return `${entry.type}.${hevcParameters(config("hvcC"))}`;
    case "mp4a":
      return `mp4a.${mpeg4AudioParameters(config("esds"))}`;
    default:
      return entry.type;
  }
}

/** Profile, constraints and level as the AVCDecoderConfigurationRecord has them (ISO/IEC 14496-15 5.3.3). */
function avcParameters(avcC: ByteCursor): string {
  avcC.skip(1);
  return hex2(avcC.u8()) + hex2(avcC.u8()) + hex2(avcC.u8());
}

/** ISO/IEC 14496-15 Annex E.3 over the HEVCDecoderConfigurationRecord (8.3.3). */
function hevcParameters(hvcC: ByteCursor): string {
  hvcC.skip(1);
  const profile = hvcC.u8();
  const space = ["", "A", "B", "C"][profile >> 6]!;
  const tier = profile & 0x20 ? "H" : "L";
  // The compatibility flags are written in reverse bit order, so that the common ones come out short.
  let compatibility = 0;
  for (let flags = hvcC.u32(), i = 0; i < 32; i++, flags >>>= 1) {
    compatibility = ((compatibility << 1) | (flags & 1)) >>> 0;
  }
  const constraints = [...hvcC.take(6)];
  while (constraints.at(-1) === 0) constraints.pop();
  const level = hvcC.u8();
  return [
    `${space}${profile & 0x1f}`,
    compatibility.toString(16).toUpperCase(),
    `${tier}${level}`,
    ...constraints.map((byte) => byte.toString(16).toUpperCase()),
  ].join(".");
}

/** Object type indication and, for AAC, the audio object type (ISO/IEC 14496-1 7.2.6.5, 14496-3 1.6.2.1). */
function mpeg4AudioParameters(esds: ByteCursor): string {
  esds.fullBox();
  expectDescriptor(esds, 0x03);
  esds.skip(2);
  const flags = esds.u8();
  if (flags & 0x80) esds.skip(2);
  if (flags & 0x40) esds.skip(esds.u8());
  if (flags & 0x20) esds.skip(2);
  expectDescriptor(esds, 0x04);
  const objectType = esds.u8();
  esds.skip(12);
  if (objectType !== 0x40) return hex2(objectType);
  expectDescriptor(esds, 0x05);
  const first = esds.u8();
  const audioObjectType = first >> 3 === 31 ? 32 + ((first & 7) << 3) + (esds.u8() >> 5) : first >> 3;
  return `40.${audioObjectType}`;
}

/** Tag and size of a descriptor; the size takes 1 to 4 bytes of 7 bits. */
function expectDescriptor(cursor: ByteCursor, tag: number): void {
  const found = cursor.u8();
  if (found !== tag) throw corrupt(`"esds" has descriptor ${found} where ${tag} belongs`);
  for (let i = 0; i < 4 && cursor.u8() & 0x80; i++);
}

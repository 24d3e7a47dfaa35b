import { type Box, corrupt, findBox, readBox, readBoxes, requireBox } from "./boxes.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { codecOfSampleEntry } from "./codec-string.ts";

/** One audio or video track of a stream, as its init segment describes it. */
export interface Track {
  trackId: number;
  kind: "video" | "audio";
  /** Ticks per second of every time of this track. */
  timescale: number;
  /** RFC 6381: `avc1.64001f`, `hvc1.1.6.L93.B0`, `mp4a.40.2`. */
  codec: string;
  /** Pixels as coded; 0 for audio. */
  width: number;
  height: number;
  /** The whole `stsd` box. */
  sampleDescription: Uint8Array;
  /** Sample entries in it. */
  sampleDescriptionCount: number;
  /** Bytes of a NAL unit's length prefix (`avcC`, `hvcC`); 0 when the samples are not NAL units. */
  nalLengthBytes: number;
  /** The part of `tkhd` after the duration (60 bytes: layer, volume, rotation matrix, width, height). */
  trackHeaderTail: Uint8Array;
  /** ISO 639-2/T as `mdhd` packs it in 15 bits. */
  packedLanguage: number;
  /** What a sample has when its fragment does not say otherwise (`trex`). */
  sampleDefaults: SampleDefaults;
  /** Composition time at which the presentation starts (`elst` media_time), in ticks of the track; 0 without one. */
  mediaTime: number;
  /** Length of the empty edit before that, in ticks of the movie; 0 without one. */
  emptyEditDuration: number;
}

export interface SampleDefaults {
  sampleDescriptionIndex: number;
  durationTicks: number;
  sizeBytes: number;
  flags: number;
}

/** `ftyp` + `moov` of a fragmented stream. */
export interface InitSegment {
  bytes: Uint8Array;
  /** Ticks per second of `mvhd` and of edit durations. */
  movieTimescale: number;
  /** Audio and video tracks in file order; others (text, timecode) are left out. */
  tracks: readonly Track[];
  /** The first video track. */
  video: Track;
  /** The first audio track. */
  audio?: Track;
  /** Codecs of the first video and audio track joined by a comma, as in RFC 6381. */
  codec: string;
}

/** Tracks of one stream; more is no camera. */
const maxTracks = 16;
const maxEditTicks = 2 ** 48;

/** Throws `corrupt_file` for anything that is not an `ftyp` and a `moov` with `mvex` and a video track. */
export function parseInitSegment(bytes: Uint8Array): InitSegment {
  const ftyp = readBox(bytes);
  if (ftyp.type !== "ftyp") throw corrupt(`an init segment starts with "ftyp", not with "${ftyp.type}"`);
  let moov: Box | undefined;
  for (const box of readBoxes(bytes, ftyp.end)) if (box.type === "moov") moov ??= box;
  if (moov === undefined) throw corrupt('the init segment has no "moov"');

  const movieTimescale = parseTimescale(bytes, requireBox(bytes, moov, "mvhd"));
  const mvex = findBox(bytes, moov, "mvex");
  if (mvex === undefined) throw corrupt('"moov" has no "mvex": this is not a fragmented MP4');
  const defaults = new Map<number, SampleDefaults>();
  for (const box of readBoxes(bytes, mvex.contentStart, mvex.end)) {
    if (box.type === "trex") defaults.set(...parseTrackExtends(ByteCursor.ofBox(bytes, box)));
  }

  const tracks: Track[] = [];
  for (const box of readBoxes(bytes, moov.contentStart, moov.end)) {
    if (box.type !== "trak") continue;
    const track = parseTrack(bytes, box, defaults);
    if (track === undefined) continue;
    if (tracks.some((other) => other.trackId === track.trackId)) {
      throw corrupt(`two tracks have the id ${track.trackId}`);
    }
    if (tracks.push(track) > maxTracks) throw corrupt(`more than ${maxTracks} tracks`);
  }
  const video = tracks.find((track) => track.kind === "video");
  if (video === undefined) throw corrupt("there is no video track");
  const audio = tracks.find((track) => track.kind === "audio");
  const codec = audio === undefined ? video.codec : `${video.codec},${audio.codec}`;
  return { bytes, movieTimescale, tracks, video, codec, ...(audio && { audio }) };
}

/** `mvhd` and `mdhd` begin alike (ISO/IEC 14496-12 8.2.2, 8.4.2); leaves the cursor after the duration. */
function parseTimescale(bytes: Uint8Array, box: Box, cursor = ByteCursor.ofBox(bytes, box)): number {
  const { version } = cursor.fullBox();
  cursor.skip(version === 1 ? 16 : 8);
  const timescale = cursor.u32();
  cursor.skip(version === 1 ? 8 : 4);
  if (timescale === 0) throw corrupt(`"${box.type}" has the time scale 0`);
  return timescale;
}

function parseTrackExtends(trex: ByteCursor): [trackId: number, SampleDefaults] {
  trex.fullBox();
  const trackId = trex.u32();
  const sampleDescriptionIndex = trex.u32();
  const durationTicks = trex.u32();
  const sizeBytes = trex.u32();
  return [trackId, { sampleDescriptionIndex, durationTicks, sizeBytes, flags: trex.u32() }];
}

function parseTrack(
  bytes: Uint8Array,
  trak: Box,
  defaults: ReadonlyMap<number, SampleDefaults>,
): Track | undefined {
  const mdia = requireBox(bytes, trak, "mdia");
  const handler = ByteCursor.ofBox(bytes, requireBox(bytes, mdia, "hdlr"));
  handler.skip(8);
  const handlerType = String.fromCharCode(...handler.take(4));
  const kind = handlerType === "vide" ? "video" : handlerType === "soun" ? "audio" : undefined;
  if (kind === undefined) return undefined;

  const header = ByteCursor.ofBox(bytes, requireBox(bytes, trak, "tkhd"));
  const { version } = header.fullBox();
  header.skip(version === 1 ? 16 : 8);
  const trackId = header.u32();
  header.skip(4 + (version === 1 ? 8 : 4));
  const trackHeaderTail = header.take(60);
  const sampleDefaults = defaults.get(trackId);
  if (sampleDefaults === undefined) throw corrupt(`track ${trackId} has no "trex"`);

  const mdhd = requireBox(bytes, mdia, "mdhd");
  const mediaHeader = ByteCursor.ofBox(bytes, mdhd);
  const timescale = parseTimescale(bytes, mdhd, mediaHeader);
  const stbl = requireBox(bytes, requireBox(bytes, mdia, "minf"), "stbl");
  const stsd = requireBox(bytes, stbl, "stsd");
  return {
    trackId,
    kind,
    timescale,
    sampleDefaults,
    trackHeaderTail,
    packedLanguage: mediaHeader.u16(),
    sampleDescription: bytes.subarray(stsd.start, stsd.end),
    ...parseSampleDescription(bytes, stsd, kind),
    ...parseEditList(bytes, trak),
  };
}

/** The first entry of `stsd` (ISO/IEC 14496-12 8.5.2, 12.1.3, 12.2.3). */
function parseSampleDescription(bytes: Uint8Array, stsd: Box, kind: Track["kind"]) {
  const cursor = ByteCursor.ofBox(bytes, stsd);
  cursor.fullBox();
  const sampleDescriptionCount = cursor.u32();
  if (sampleDescriptionCount === 0 || sampleDescriptionCount * 8 > cursor.remaining) {
    throw corrupt(`"stsd" says it has ${sampleDescriptionCount} entries`);
  }
  const entry = readBox(bytes, cursor.offset, stsd.end);
  const fields = ByteCursor.ofBox(bytes, entry);
  if (kind === "audio") {
    fields.skip(8);
    // QuickTime's sound description version 1 has 16 more bytes before its children.
    const version = fields.u16();
    const codec = codecOfSampleEntry(bytes, entry, version === 1 ? 44 : 28);
    return { sampleDescriptionCount, codec, width: 0, height: 0, nalLengthBytes: 0 };
  }
  fields.skip(24);
  const width = fields.u16();
  const height = fields.u16();
  const codec = codecOfSampleEntry(bytes, entry, 78);
  return { sampleDescriptionCount, codec, width, height, nalLengthBytes: parseNalLength(bytes, entry) };
}

function parseNalLength(bytes: Uint8Array, entry: Box): number {
  const avc = entry.type === "avc1" || entry.type === "avc3";
  if (!avc && entry.type !== "hvc1" && entry.type !== "hev1") return 0;
  const config = ByteCursor.ofBox(bytes, requireBox(bytes, entry, avc ? "avcC" : "hvcC", 78));
  config.skip(avc ? 4 : 21);
  return (config.u8() & 3) + 1;
}

/** ISO/IEC 14496-12 8.6.6. Only what a stream's init segment may say: an optional empty edit, then a start. */
function parseEditList(bytes: Uint8Array, trak: Box): { mediaTime: number; emptyEditDuration: number } {
  const edts = findBox(bytes, trak, "edts");
  const elst = edts && findBox(bytes, edts, "elst");
  let emptyEditDuration = 0;
  if (elst === undefined) return { mediaTime: 0, emptyEditDuration };
  const cursor = ByteCursor.ofBox(bytes, elst);
  const { version } = cursor.fullBox();
  const count = cursor.u32();
  for (let i = 0; i < count; i++) {
    const duration = version === 1 ? cursor.u64() : cursor.u32();
    const mediaTime = version === 1 ? cursor.i64() : cursor.i32();
    cursor.skip(4);
    if (mediaTime > maxEditTicks) throw corrupt("an edit list starts after every real time");
    if (mediaTime >= 0) return { mediaTime, emptyEditDuration };
    emptyEditDuration += duration;
    if (emptyEditDuration > maxEditTicks)
      throw corrupt("an edit list is empty for longer than any real time");
  }
  return { mediaTime: 0, emptyEditDuration };
}

import { FieldWriter, latin1, u32s, writeBox, writeFullBox } from "../../../src/common/mp4/box-writer.ts";

export interface SyntheticTrack {
  trackId: number;
  kind: "video" | "audio" | "text";
  timescale?: number;
  /** `trex`: description index, duration, size, flags. */
  defaults?: [number, number, number, number];
  sampleEntry?: Uint8Array;
  edits?: Uint8Array;
}

export const avcC = Uint8Array.of(1, 0x64, 0x00, 0x1f, 0xff, 0xe0, 0);

export function videoEntry(type: string, config: Uint8Array, width = 1920, height = 1080): Uint8Array {
  const fields = new Uint8Array(78);
  fields[7] = 1;
  new DataView(fields.buffer).setUint16(24, width);
  new DataView(fields.buffer).setUint16(26, height);
  return writeBox(type, fields, config);
}

export function audioEntry(type: string, config: Uint8Array): Uint8Array {
  return writeBox(type, new Uint8Array(28), config);
}

/** An init segment made by hand, so that it can say what no muxer writes. */
export function syntheticInit(tracks: readonly SyntheticTrack[]): Uint8Array {
  const trex = tracks.map(({ trackId, defaults = [1, 0, 0, 0] }) =>
    writeFullBox("trex", 0, 0, u32s(trackId, ...defaults)),
  );
  return Buffer.concat([
    writeBox("ftyp", latin1("iso5"), u32s(0x200), latin1("iso5iso6mp41")),
    writeBox(
      "moov",
      writeFullBox("mvhd", 0, 0, u32s(0, 0, 1000, 0), new Uint8Array(80)),
      ...tracks.map(syntheticTrack),
      writeBox("mvex", ...trex),
    ),
  ]);
}

function syntheticTrack(track: SyntheticTrack): Uint8Array {
  const { trackId, kind, timescale = 90_000 } = track;
  const handler = { video: "vide", audio: "soun", text: "text" }[kind];
  const entry = track.sampleEntry ?? videoEntry("avc1", writeBox("avcC", avcC));
  return writeBox(
    "trak",
    writeFullBox("tkhd", 0, 3, u32s(0, 0, trackId, 0, 0), new Uint8Array(60)),
    ...(track.edits ? [writeBox("edts", track.edits)] : []),
    writeBox(
      "mdia",
      writeFullBox("mdhd", 0, 0, u32s(0, 0, timescale, 0, 0x55c40000)),
      writeFullBox("hdlr", 0, 0, u32s(0), latin1(handler), u32s(0, 0, 0)),
      writeBox("minf", writeBox("stbl", writeFullBox("stsd", 0, 0, u32s(1), entry))),
    ),
  );
}

export interface SyntheticSample {
  duration: number;
  size: number;
  flags: number;
  compositionOffset: number;
}

export interface SyntheticRun {
  samples: readonly SyntheticSample[];
  /** From the start of the `moof`; absent: after the run before. */
  dataOffset?: number;
  /** Which fields each sample has for itself; the others come from the `traf` or the `trex`. */
  own?: { duration?: boolean; size?: boolean; flags?: boolean; compositionOffset?: boolean };
  firstFlags?: number;
  version?: 0 | 1;
}

export interface SyntheticTraf {
  trackId: number;
  decodeTime?: number;
  decodeTimeVersion?: 0 | 1;
  /** Of `tfhd`. */
  descriptionIndex?: number;
  defaultDuration?: number;
  defaultSize?: number;
  defaultFlags?: number;
  baseDataOffset?: number;
  defaultBaseIsMoof?: boolean;
  runs: readonly SyntheticRun[];
}

export function syntheticMoof(trafs: readonly SyntheticTraf[], sequence = 1): Uint8Array {
  return writeBox("moof", writeFullBox("mfhd", 0, 0, u32s(sequence)), ...trafs.map(syntheticTraf));
}

function syntheticTraf(traf: SyntheticTraf): Uint8Array {
  const fields: Uint8Array[] = [u32s(traf.trackId)];
  let flags = traf.defaultBaseIsMoof === false ? 0 : 0x20000;
  if (traf.baseDataOffset !== undefined) {
    flags |= 1;
    fields.push(new FieldWriter(8).u64(traf.baseDataOffset).bytes);
  }
  const optional: [number, number | undefined][] = [
    [0x2, traf.descriptionIndex],
    [0x8, traf.defaultDuration],
    [0x10, traf.defaultSize],
    [0x20, traf.defaultFlags],
  ];
  for (const [flag, value] of optional) {
    if (value === undefined) continue;
    flags |= flag;
    fields.push(u32s(value));
  }
  const { decodeTime, decodeTimeVersion = 1 } = traf;
  const time = new FieldWriter(decodeTimeVersion === 1 ? 8 : 4);
  if (decodeTime !== undefined) decodeTimeVersion === 1 ? time.u64(decodeTime) : time.u32(decodeTime);
  return writeBox(
    "traf",
    writeFullBox("tfhd", 0, flags, ...fields),
    ...(decodeTime === undefined ? [] : [writeFullBox("tfdt", decodeTimeVersion, 0, time.bytes)]),
    ...traf.runs.map(syntheticRun),
  );
}

function syntheticRun(run: SyntheticRun): Uint8Array {
  const { samples, own = {}, version = 1 } = run;
  const fields: number[] = [samples.length];
  let flags = 0;
  if (run.dataOffset !== undefined) {
    flags |= 0x1;
    fields.push(run.dataOffset >>> 0);
  }
  if (run.firstFlags !== undefined) {
    flags |= 0x4;
    fields.push(run.firstFlags);
  }
  if (own.duration) flags |= 0x100;
  if (own.size) flags |= 0x200;
  if (own.flags) flags |= 0x400;
  if (own.compositionOffset) flags |= 0x800;
  for (const sample of samples) {
    if (own.duration) fields.push(sample.duration);
    if (own.size) fields.push(sample.size);
    if (own.flags) fields.push(sample.flags);
    if (own.compositionOffset) fields.push(sample.compositionOffset >>> 0);
  }
  return writeFullBox("trun", version, flags, u32s(...fields));
}

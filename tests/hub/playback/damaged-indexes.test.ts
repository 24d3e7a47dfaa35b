import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archivePathOf } from "../../../src/common/archive-path.ts";
import { runChild } from "../../../src/common/child-process.ts";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { readArchiveFile } from "../../../src/common/mp4/archive-file.ts";
import { type Box, readBoxes } from "../../../src/common/mp4/boxes.ts";
import { parseIdentityBox, writeIdentityBox } from "../../../src/common/mp4/identity-box.ts";
import type { SegmentIdentity } from "../../../src/common/segment-identity.ts";
import type { Video } from "../../../src/hub/db/catalog.ts";
import { archiveTestRun } from "../../support/archived-run.ts";
import { openTestHub, type TestHub } from "../../support/test-hub.ts";

// ffmpeg is asked to make something of each.
setDefaultTimeout(120_000);

let hub: TestHub;
let archive: string;
let whole: Video;
let wholeBytes: Buffer;
/** Of the fragments. */
let firstOffset: number;
let count = 0;

beforeAll(async () => {
  hub = await openTestHub();
  archive = join(hub.folder, "archive");
  [whole] = (await archiveTestRun(archive, {
    ...{ startTimeMs: Date.UTC(2025, 8, 23, 6, 30), secondsPerVideo: [4] },
    ...{ cameraId: "cam000", audio: true, size: "480x270" },
  })) as [Video];
  await hub.announce([whole]);
  wholeBytes = await readFile(join(archive, whole.filePath));
  firstOffset = (await readArchiveFile(join(archive, whole.filePath))).fragments[0]!.offset;
});
afterAll(() => hub[Symbol.asyncDispose]());

/** A camera of its own with one video, whose file is a copy that says so, and then spoilt. */
async function addSpoilt(spoil: (bytes: Buffer) => Buffer | undefined): Promise<Video> {
  const cameraId = `cam${String(++count).padStart(3, "0")}`;
  const startTimeMs = whole.startTimeMs + count * 60_000;
  const videoId = newUuidV7(startTimeMs);
  const endTimeMs = startTimeMs + whole.durationMs;
  const copy = Buffer.from(wholeBytes);
  const own = { videoId, cameraId, startTimeMs, endTimeMs };
  writeIdentity(copy, own);
  const bytes = spoil(copy) ?? copy;
  const filePath = archivePathOf({ cameraId, startTimeMs, timeZone: whole.timeZone });
  await mkdir(dirname(join(archive, filePath)), { recursive: true });
  await writeFile(join(archive, filePath), bytes);
  // Else an export would find the damage by its hash, and mark it, before anything else had to live with it.
  const fileSha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const video = {
    ...whole,
    videoId,
    cameraId,
    filePath,
    startTimeMs,
    endTimeMs,
    fileSizeBytes: bytes.length,
    fileSha256,
  };
  expect((await hub.announce([video])).status).toBe(200);
  return video;
}

/** All fields that are changed have the same length as before. */
function writeIdentity(bytes: Buffer, changes: Partial<SegmentIdentity>): void {
  const { start, end } = find(bytes, ["uuid"]);
  const box = writeIdentityBox({ ...parseIdentityBox(bytes, find(bytes, ["uuid"])), ...changes });
  expect(box.length).toBe(end - start);
  bytes.set(box, start);
}

/** Everything that reads files of the archive. */
function addressesOf({ videoId, cameraId, startTimeMs, endTimeMs }: Video): string[] {
  const time = (ms: number) => new Date(ms).toISOString();
  const range = `from=${time(startTimeMs)}&to=${time(endTimeMs)}`;
  const inside = `from=${time(startTimeMs + 1_500)}&to=${time(endTimeMs - 500)}`;
  const camera = `/api/cameras/${cameraId}`;
  const video = `/api/videos/${videoId}`;
  return [
    `${camera}/hls.m3u8?${range}`,
    ...[
      `${camera}/master.m3u8?${range}`,
      `${camera}/timeline?${range}`,
      `/api/evidence.zip?camera_id=${cameraId}&${range}`,
    ],
    ...[
      `${camera}/clip.mp4?${range}`,
      `${camera}/clip.mp4?${inside}`,
      `${camera}/clip.mp4?${inside}&cut=keyframe`,
    ],
    `${camera}/clip.mp4?${range}&cut=keyframe&format=fmp4`,
    ...[`${video}/stream`, `${video}/thumbnail`, `${video}/previews.vtt`, `${video}/previews.jpg`],
    ...[`${video}/init/240p.mp4`, `${video}/parts/${firstOffset}-${whole.fileSizeBytes}/240p.mp4`],
  ];
}

interface Answer {
  path: string;
  status: number;
}

/** Every answer ends: with what was promised, or before it. */
async function answersFor(paths: readonly string[]): Promise<Answer[]> {
  return Promise.all(
    paths.map(async (path) => {
      const response = await hub.get(path);
      await response.arrayBuffer().catch(() => undefined);
      if (response.status === 503) expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
      return { path, status: response.status };
    }),
  );
}

/** Not made by ffmpeg, which takes its time. */
const isQuick = (path: string) => !/\.jpg|thumbnail|240p/.test(path);

function isClean({ path, status }: Answer): boolean {
  // What ffmpeg cannot decode is not there in other qualities.
  return [200, 400, 404, 409, 503].includes(status) || (status === 501 && path.endsWith("/240p.mp4"));
}

async function expectCleanAnswers(video: Video): Promise<void> {
  const paths = addressesOf(video);
  // Again: what is known by then, as that the file is damaged, takes other ways.
  for (const asked of [paths, paths.filter(isQuick)]) {
    expect((await answersFor(asked)).filter((answer) => !isClean(answer))).toEqual([]);
  }
}

function find(bytes: Buffer, path: readonly string[], start = 0, end = bytes.length): Box {
  const [type, ...rest] = path;
  const skip: Record<string, number> = { stsd: 8, avc1: 78 };
  for (const box of readBoxes(bytes, start, end)) {
    if (box.type !== type) continue;
    return rest.length === 0 ? box : find(bytes, rest, box.contentStart + (skip[box.type] ?? 0), box.end);
  }
  throw new Error(`no ${type}`);
}

/** Where the payload begins in an archived file: init segment, `sidx`, fragments. */
const payloadOf = (bytes: Buffer) => find(bytes, ["mdat"]).contentStart;

type Spoil = (bytes: Buffer) => Buffer | undefined;
/** A 32-bit field of a box, counted from its content. */
const setField =
  (path: readonly string[], offset: number, value: number, inPayload = false): Spoil =>
  (bytes) => {
    const box = find(bytes, path, inPayload ? payloadOf(bytes) : 0);
    bytes.writeUInt32BE(value, box.contentStart + offset);
    return undefined;
  };
const rename =
  (path: readonly string[], name = "free", inPayload = false): Spoil =>
  (bytes) => {
    bytes.write(name, find(bytes, path, inPayload ? payloadOf(bytes) : 0).start + 4, "latin1");
    return undefined;
  };
const resize =
  (path: readonly string[], sizeBytes: number, inPayload = false): Spoil =>
  (bytes) => {
    bytes.writeUInt32BE(sizeBytes, find(bytes, path, inPayload ? payloadOf(bytes) : 0).start);
    return undefined;
  };
const inFragment =
  (path: readonly string[], offset: number, value: number): Spoil =>
  (bytes) => {
    const first = find(bytes, ["moof"], payloadOf(bytes));
    const box = path.length === 0 ? first : find(bytes, path, first.contentStart, first.end);
    bytes.writeUInt32BE(value, box.contentStart + offset);
    return undefined;
  };

const huge = 0xffffffff;
const stbl = ["moov", "trak", "mdia", "minf", "stbl"];

const damages: Record<string, Record<string, Spoil>> = {
  "identity (uuid)": {
    "is no JSON": (bytes) => void bytes.write("}{][", find(bytes, ["uuid"]).contentStart + 16, "latin1"),
    "is empty": (bytes) => {
      const { contentStart, end } = find(bytes, ["uuid"]);
      bytes.fill(" ", contentStart + 16, end);
      return undefined;
    },
    "is of another video": (bytes) => void writeIdentity(bytes, { videoId: newUuidV7(whole.startTimeMs) }),
    "is of another camera": (bytes) => void writeIdentity(bytes, { cameraId: "cam999" }),
    "has a checksum that differs": (bytes) => void bytes.write("x", bytes.indexOf("0.1.0-test"), "latin1"),
    "is of another kind": (bytes) =>
      void bytes.fill(7, find(bytes, ["uuid"]).contentStart, find(bytes, ["uuid"]).contentStart + 16),
    "is not there": rename(["uuid"]),
    "is longer than the file": resize(["uuid"], huge),
    "is shorter than its own header": resize(["uuid"], 3),
  },
  "outer index (moov)": {
    "is not there": rename(["moov"]),
    "has no end": resize(["moov"], 0),
    "is longer than the file": resize(["moov"], 0x7fffffff),
    "is shorter than its own header": resize(["moov"], 7),
    "has the time scale 0": setField(["moov", "mvhd"], 12, 0),
    "has a track without tables": rename(stbl),
    "has no tracks": rename(["moov", "trak"]),
    "has a track of another id": setField(["moov", "trak", "tkhd"], 12, 77),
    "has a track with the time scale 0": setField(["moov", "trak", "mdia", "mdhd"], 12, 0),
    "has an edit list of nothing": setField(["moov", "trak", "edts", "elst"], 4, 0),
    "has an edit list without end": setField(["moov", "trak", "edts", "elst"], 4, huge),
    "counts four thousand million samples": setField([...stbl, "stsz"], 8, huge),
    "counts no samples": setField([...stbl, "stsz"], 8, 0),
    "has samples of 4 GB": setField([...stbl, "stsz"], 12, huge),
    "has samples of 0 bytes": setField([...stbl, "stsz"], 12, 0),
    "counts four thousand million durations": setField([...stbl, "stts"], 4, huge),
    "has one duration for all eternity": setField([...stbl, "stts"], 8, huge),
    "has durations of 0": setField([...stbl, "stts"], 12, 0),
    "has a duration of a day": setField([...stbl, "stts"], 12, huge),
    "has no keyframes": setField([...stbl, "stss"], 4, 0),
    "has a keyframe that is not there": setField([...stbl, "stss"], 8, huge),
    "has chunks that begin with none": setField([...stbl, "stsc"], 8, 0),
    "has chunks of four thousand million": setField([...stbl, "stsc"], 12, huge),
    "has chunks of nothing": setField([...stbl, "stsc"], 12, 0),
    "counts four thousand million chunks": setField([...stbl, "co64"], 4, huge),
    "has a chunk beyond 2^63": setField([...stbl, "co64"], 8, huge),
    "has a chunk after the end": setField([...stbl, "co64"], 12, 0x7fffffff),
    "has a chunk before the media": setField([...stbl, "co64"], 12, 0),
  },
  "media data (mdat)": {
    "is not there": rename(["mdat"]),
    "is longer than the file": (bytes) => void bytes.writeUInt32BE(1, find(bytes, ["mdat"]).start + 8),
    "is shorter than the file": (bytes) => void bytes.writeUInt32BE(4_000, find(bytes, ["mdat"]).start + 12),
    "is beyond 2^63": (bytes) => void bytes.writeUInt32BE(huge, find(bytes, ["mdat"]).start + 8),
  },
  "init segment": {
    "does not begin with ftyp": rename(["ftyp"], "free", true),
    "has no moov": rename(["moov"], "free", true),
    "is longer than the file": resize(["moov"], 0x7fffffff, true),
    "has no tracks": rename(["moov", "trak"], "free", true),
    "has no mvex": rename(["moov", "mvex"], "free", true),
    "has the time scale 0": setField(["moov", "trak", "mdia", "mdhd"], 12, 0, true),
    "has the largest time scale": setField(["moov", "trak", "mdia", "mdhd"], 12, huge, true),
    "describes no coding": setField([...stbl, "stsd"], 4, 0, true),
    "describes four thousand million codings": setField([...stbl, "stsd"], 4, huge, true),
    "has an unknown coding": rename([...stbl, "stsd", "avc1"], "xxxx", true),
    "has a broken avcC": (bytes) => {
      const { contentStart, end } = find(bytes, [...stbl, "stsd", "avc1", "avcC"], payloadOf(bytes));
      bytes.fill(0xff, contentStart, end);
      return undefined;
    },
    "has a picture of 65,535 pixels": setField([...stbl, "stsd", "avc1"], 24, huge, true),
  },
  "index of fragments (sidx)": {
    "is not there": rename(["sidx"], "free", true),
    "is longer than the file": resize(["sidx"], 0x7fffffff, true),
    "has another version": setField(["sidx"], 0, 0, true),
    "has the time scale 0": setField(["sidx"], 8, 0, true),
    "begins at the end of all time": setField(["sidx"], 12, huge, true),
    "begins past 2^53": setField(["sidx"], 12, 0x001fffff, true),
    "points elsewhere": setField(["sidx"], 24, 1, true),
    "counts no fragments": setField(["sidx"], 28, 0, true),
    "counts 65,535 fragments": setField(["sidx"], 28, 0xffff, true),
    "has a fragment of 0 bytes": setField(["sidx"], 32, 0, true),
    "has a fragment of 2 GB": setField(["sidx"], 32, 0x7fffffff, true),
    "points at another index": setField(["sidx"], 32, 0x80000100, true),
    "has a fragment of a month": setField(["sidx"], 36, huge, true),
    "has a fragment of no time": setField(["sidx"], 36, 0, true),
    "has no keyframes": (bytes) => {
      const { contentStart, end } = find(bytes, ["sidx"], payloadOf(bytes));
      for (let at = contentStart + 40; at < end; at += 12) bytes.writeUInt32BE(0, at);
      return undefined;
    },
    "has the fragments elsewhere": (bytes) => {
      const { contentStart } = find(bytes, ["sidx"], payloadOf(bytes));
      bytes.writeUInt32BE(bytes.readUInt32BE(contentStart + 32) - 100, contentStart + 32);
      bytes.writeUInt32BE(bytes.readUInt32BE(contentStart + 44) + 100, contentStart + 44);
      return undefined;
    },
  },
  "a fragment": {
    "is longer than the file": inFragment([], -8, 0x7fffffff),
    "has no end": inFragment([], -8, 0),
    "is something else": inFragment([], -4, 0x66726565),
    "is of another track": inFragment(["traf", "tfhd"], 4, 99),
    "begins at the end of all time": inFragment(["traf", "tfdt"], 4, huge),
    "counts four thousand million samples": inFragment(["traf", "trun"], 4, huge),
    "counts no samples": inFragment(["traf", "trun"], 4, 0),
    "has its data elsewhere": inFragment(["traf", "trun"], 8, 0x7fffffff),
    "has its data before it": inFragment(["traf", "trun"], 8, huge),
    "has no media": (bytes) => {
      const { end } = find(bytes, ["moof"], payloadOf(bytes));
      bytes.fill(0, end, end + 8);
      return undefined;
    },
  },
  "the file": {
    "is random": (bytes) =>
      Buffer.from(crypto.getRandomValues(new Uint8Array(Math.min(60_000, bytes.length)))),
    "is zeros": (bytes) => bytes.fill(0),
    "is a page": () => Buffer.from("<!doctype html><script>alert(1)</script>"),
    "is a playlist": () => Buffer.from("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
    "has one byte": () => Buffer.from([0]),
    "ends after the identity": (bytes) => bytes.subarray(0, find(bytes, ["uuid"]).end),
    "ends in the outer index": (bytes) => bytes.subarray(0, find(bytes, ["moov"]).end - 100),
    "ends in the init segment": (bytes) => bytes.subarray(0, payloadOf(bytes) + 100),
    "ends in the sidx": (bytes) => bytes.subarray(0, find(bytes, ["sidx"], payloadOf(bytes)).end - 5),
    "ends in the middle": (bytes) => bytes.subarray(0, bytes.length >> 1),
    "goes on after its end": (bytes) => Buffer.concat([bytes, bytes]),
  },
};

for (const [part, spoils] of Object.entries(damages)) {
  describe(`${part}:`, () => {
    for (const [damage, spoil] of Object.entries(spoils)) {
      test(damage, async () => {
        await expectCleanAnswers(await addSpoilt(spoil));
      });
    }
  });
}

test("an MP4 that livecam did not write under a catalogued name", async () => {
  const path = join(hub.folder, "foreign.mp4");
  const { exitCode, stderrTail } = await runChild({
    argv: [
      ...["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=480x270:rate=10"],
      ...["-t", "4", "-c:v", "libx264", "-preset", "ultrafast", "-movflags", "+faststart", path],
    ],
    timeoutMs: 60_000,
  });
  expect([exitCode, stderrTail]).toEqual([0, ""]);
  const foreign = await readFile(path);
  const video = await addSpoilt(() => foreign);
  await expectCleanAnswers(video);
  const shown = await hub.get(`/api/videos/${video.videoId}/previews.jpg`);
  expect(shown.status).toBe(404);
});

test("bits that flip anywhere in front of the pictures", async () => {
  const front = firstOffset + 1_000;
  // The same every time.
  let state = 0x2545f491;
  const random = (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  for (let round = 0; round < 12; round++) {
    const video = await addSpoilt((bytes) => {
      for (let i = 0; i < 20; i++) {
        const at = random(front);
        bytes[at] = bytes[at]! ^ (1 << random(8));
      }
      return undefined;
    });
    await expectCleanAnswers(video);
  }
});

test("after all that the hub serves what is whole", async () => {
  for (const video of [whole, await addSpoilt((bytes) => bytes)]) {
    const answers = await answersFor(addressesOf(video));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  }
});

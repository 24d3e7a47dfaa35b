import { AppError, errorCodeOf } from "../../common/errors.ts";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { Catalog } from "../db/catalog.ts";
import type { MediaSource } from "../playback/media-source.ts";
import { type Clip, type ClipCut, clipNameOf, type FilePart } from "./clip.ts";
import type { ClipService } from "./clip-service.ts";
import { firstFileOf, PartsReader, stretchesOf } from "./parts-reader.ts";
import { type CameraRange, type CoverageJson, readCoverage } from "./range-coverage.ts";
import { createZipBody, type ZipFile } from "./zip-body.ts";
import { zipLength } from "./zip-format.ts";

export const maxClipsInZip = 64;
/** Of all its clips together: it bounds the indexes that are kept while the ZIP is sent, about 1 MB per hour. */
export const maxZipMs = 24 * 3_600_000;
const maxItems = 20_000;
const manifestName = "manifest.json";

export interface ZippedRange extends CameraRange {
  cut: ClipCut;
}

/** One entry of `manifest.json`. `file` is null where there was nothing to show. */
interface ClipJson extends CoverageJson {
  cut: ClipCut;
  file: {
    path: string;
    file_size: number;
    file_sha256: string;
    start_time: string;
    end_time: string;
    duration_ms: number;
  } | null;
}

interface ZippedClip {
  name: string;
  clip: Clip;
  json: NonNullable<ClipJson["file"]>;
}

/** Everything of a ZIP but the hashes of its clips, which are known when they were sent; so the manifest comes last. */
export interface ClipsZip {
  clips: readonly ZippedClip[];
  sizeBytes: number;
  manifestText(): string;
}

/** As long as the hash that comes in its place. */
const unknownHash = "0".repeat(64);

/**
 * Throws `not_found` when none of the ranges has a video, `conflict` and `invalid_input` naming the range, and
 * `unavailable` as {@link ClipService} does.
 */
export async function planClipsZip(
  deps: {
    catalog: Pick<Catalog, "findVideos" | "findGaps">;
    clips: Pick<ClipService, "clipOf">;
    nowMs: number;
    softwareVersion: string;
  },
  ranges: readonly ZippedRange[],
): Promise<ClipsZip> {
  const zipped: ZippedClip[] = [];
  const entries: ClipJson[] = [];
  const taken = new Set<string>();
  for (const [index, range] of ranges.entries()) {
    const path = `clips.${index}`;
    const tooMany = () => refused(path, `expected a range with at most ${maxItems} videos and gaps`);
    const { coverage } = await readCoverage(deps.catalog, range, { maxItems, tooMany });
    const clip = await clipIn(deps.clips, range, path);
    const name = clip && freeName(clipNameOf(range.cameraId, clip, "mp4"), taken);
    const json = clip && name !== undefined ? fileJson(name, clip) : null;
    entries.push({ ...coverage, cut: range.cut, file: json });
    if (clip && json) zipped.push({ name: json.path, clip, json });
  }
  if (zipped.length === 0) throw new AppError("not_found", "there is no video in what was asked for");

  const manifest = {
    format: "livecam-clips",
    format_version: 1,
    created_at: formatWireTime(deps.nowMs),
    software_version: deps.softwareVersion,
    clips: entries,
  };
  const manifestText = () => `${JSON.stringify(manifest, undefined, 2)}\n`;
  const sizes = zipped.map(({ name, clip }) => ({ name, sizeBytes: clip.sizeBytes }));
  const own = { name: manifestName, sizeBytes: Buffer.byteLength(manifestText()) };
  return { clips: zipped, sizeBytes: zipLength([...sizes, own]), manifestText };
}

async function clipIn(
  clips: Pick<ClipService, "clipOf">,
  range: ZippedRange,
  path: string,
): Promise<Clip | undefined> {
  try {
    return await clips.clipOf({ ...range, format: "mp4" });
  } catch (error) {
    const code = errorCodeOf(error);
    if (code === "not_found") return undefined;
    if (error instanceof AppError && (code === "conflict" || code === "invalid_input")) {
      const issues = [{ path, message: error.issues[0]?.message ?? error.message }];
      throw new AppError(code, error.message, { cause: error, issues });
    }
    throw error;
  }
}

function refused(path: string, message: string): AppError {
  return new AppError("invalid_input", "these ranges cannot be exported", { issues: [{ path, message }] });
}

function fileJson(path: string, clip: Clip): ZippedClip["json"] {
  return {
    ...{ path, file_size: clip.sizeBytes, file_sha256: unknownHash },
    start_time: formatWireTime(clip.startTimeMs),
    end_time: formatWireTime(clip.endTimeMs),
    duration_ms: clip.durationMs,
  };
}

/** `NAME.mp4`, `NAME-2.mp4`, …: who asks for the same twice gets it twice. */
function freeName(name: string, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const free = number === 1 ? name : name.replace(/\.mp4$/, `-${number}.mp4`);
    if (taken.has(free)) continue;
    taken.add(free);
    return free;
  }
}

/**
 * The ZIP, made while it is sent; a clip that cannot be read to its end breaks it off. One of which not even the beginning
 * can be read is refused before there is an answer, with what `refusal` makes of it.
 */
export async function createClipsZipBody(
  zip: ClipsZip,
  options: {
    media: Pick<MediaSource, "open" | "sizeOf">;
    nowMs: number;
    client: AbortSignal;
    refusal(error: unknown, part: FilePart): Promise<Error>;
    onError(error: unknown, part: FilePart | undefined): void;
    onEnd(): void;
  },
): Promise<ReadableStream<Uint8Array>> {
  const { media, client } = options;
  const stretchesIn = (clip: Clip) => stretchesOf(clip.parts, { start: 0, end: clip.sizeBytes });
  const readerOf = (clip: Clip) => new PartsReader({ media, stretches: stretchesIn(clip) });
  const [first] = zip.clips;
  if (first === undefined) throw new AppError("internal", "a ZIP of no clips");
  let reader = readerOf(first.clip);
  try {
    await reader.ready();
  } catch (error) {
    await reader[Symbol.asyncDispose]();
    const file = firstFileOf(stretchesIn(first.clip));
    throw file === undefined ? error : await options.refusal(error, file.part);
  }

  async function* files(): AsyncGenerator<ZipFile> {
    for (const { name, clip, json } of zip.clips) {
      // The first is open. The same clip may come again.
      if (json !== first?.json) reader = readerOf(clip);
      yield { name, input: blocksOf(json) };
    }
    yield { name: manifestName, input: zip.manifestText() };
  }
  async function* blocksOf(json: ZippedClip["json"]) {
    const hash = new Bun.CryptoHasher("sha256");
    for (let block = await reader.read(); block !== undefined; block = await reader.read()) {
      hash.update(block);
      yield block;
    }
    json.file_sha256 = hash.digest("hex");
  }

  return createZipBody({
    ...{ files: files(), nowMs: options.nowMs },
    client,
    onError: (error) => options.onError(error, reader.part?.kind === "file" ? reader.part : undefined),
    async onEnd() {
      options.onEnd();
      await reader[Symbol.asyncDispose]();
    },
  });
}

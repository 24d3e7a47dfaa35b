import { createHash } from "node:crypto";
import { AppError, errorCodeOf } from "../../../common/errors.ts";
import type { Video } from "../../db/catalog.ts";
import type { ByteRange } from "../../http/range.ts";
import { BoundedTasks } from "../bounded-tasks.ts";
import type { MediaParts } from "../hls/media-parts.ts";
import type { MediaSource } from "../media-source.ts";
import type { PartCache } from "./part-cache.ts";
import { type Picture, pictureOf, type Quality, qualitiesOf } from "./quality.ts";
import { type SourcePart, type TranscodeOptions, transcodeInit, transcodePart } from "./transcode.ts";
import type { Transcoder } from "./transcoder.ts";

/** Raised when the same input would come out as something else. */
const recipeVersion = 3;
/** A GOP of 4K at a generous bit rate. What is larger is not transcoded: it is read into memory. */
const maxSourceBytes = 64 * 1024 * 1024;
/** Who is further behind has given up before it is their turn. */
const queueLength = 16;

/** The init segment, or the part that lies in these bytes of the file. */
export type WantedPart = "init" | ByteRange;

export interface TranscodedPart {
  bytes: Uint8Array;
  /** Another one for other bytes. */
  tag: string;
}

export interface TranscodedPartsOptions {
  media: Pick<MediaSource, "readRange">;
  /** What can be played of a video. Throws what the {@link MediaSource} throws. */
  partsOf: (video: Video) => Promise<readonly MediaParts[]>;
  transcoder: Transcoder;
  cache: PartCache;
  /** How many are made at a time. */
  atOnce: number;
  deadlineMs?: number;
}

/** Parts of videos in other qualities, made when they are asked for and kept for a while. */
export class TranscodedParts {
  readonly #options: TranscodedPartsOptions;
  readonly #tasks: BoundedTasks<Uint8Array>;
  readonly #counts = { made: 0, failed: 0, cancelled: 0, cacheHits: 0, cacheMisses: 0 };

  constructor(options: TranscodedPartsOptions) {
    this.#options = options;
    this.#tasks = new BoundedTasks({ concurrency: options.atOnce, queueLength });
  }

  /** Whether there is anything to make them with. */
  isAvailable(): Promise<boolean> {
    return this.#options.transcoder.isThere();
  }

  get figures() {
    const { running, waiting } = this.#tasks;
    return { running, waiting, ...this.#counts, cacheBytes: this.#options.cache.sizeBytes };
  }

  /**
   * However many ask for the same, it is made once; when all of them have gone, it is not made any more. Throws
   * `invalid_input` for a quality or a part that the video does not have, `unavailable` when too many wait or there is
   * no ffmpeg, `timeout`, `cancelled`, and what the {@link MediaSource} throws.
   */
  async get(video: Video, quality: Quality, wanted: WantedPart, asker: AbortSignal): Promise<TranscodedPart> {
    const picture = pictureOf(video, quality);
    if (picture === undefined) throw notOf(video, quality);
    const recipe = [recipeVersion, await this.#options.transcoder.version(), JSON.stringify(picture)].join(
      "\n",
    );
    const part = wanted === "init" ? wanted : `${wanted.start}-${wanted.end}`;
    const tag = createHash("sha256").update(recipe).digest("hex").slice(0, 12);
    const name = [video.videoId, quality, part, tag].join("_");
    const make = (givenUp: AbortSignal) => this.#find(name, video, picture, wanted, givenUp);
    return { bytes: await this.#tasks.run(name, make, asker), tag: name };
  }

  async #find(name: string, video: Video, picture: Picture, wanted: WantedPart, signal: AbortSignal) {
    // The bytes of a whole file never change; a damaged one may be repaired.
    const isKept = video.status !== "damaged";
    const kept = isKept ? await this.#options.cache.read(name) : undefined;
    if (kept !== undefined) {
      this.#counts.cacheHits++;
      return kept;
    }
    this.#counts.cacheMisses++;
    const bytes = await this.#make(video, picture, wanted, signal);
    if (isKept) await this.#options.cache.write(name, bytes);
    return bytes;
  }

  async #make(video: Video, picture: Picture, wanted: WantedPart, signal: AbortSignal): Promise<Uint8Array> {
    const { transcoder, deadlineMs } = this.#options;
    const options: TranscodeOptions = { ffmpeg: transcoder.ffmpeg, picture, signal, deadlineMs };
    try {
      const source = await this.#readSource(video, wanted);
      signal.throwIfAborted();
      const bytes = await transcode(source, wanted, options);
      this.#counts.made++;
      return bytes;
    } catch (error) {
      if (signal.aborted) this.#counts.cancelled++;
      else this.#counts.failed++;
      if (errorCodeOf(error) === "unavailable") transcoder.forget();
      throw error;
    }
  }

  async #readSource({ filePath, ...video }: Video, wanted: WantedPart) {
    const { media, partsOf } = this.#options;
    const all = await partsOf({ filePath, ...video });
    const found = findPart(all, wanted);
    if (found === undefined) {
      const issues = [{ path: "part", message: "expected the bytes of a part as the playlist has them" }];
      throw new AppError("invalid_input", "this video has no such part", { issues });
    }
    const { init, range, before } = found;
    if (range.end - range.start > maxSourceBytes) {
      throw new AppError("not_supported", "this part is too large to be had in another quality");
    }
    const [initBytes, bytes, bytesBefore] = await Promise.all([
      media.readRange(filePath, init),
      media.readRange(filePath, range),
      before && media.readRange(filePath, before),
    ]);
    return { initBytes, bytes, before: bytesBefore };
  }
}

/** What ffmpeg cannot make anything of may be whole all the same: it is no proof that a file is damaged. */
async function transcode(source: SourcePart, wanted: WantedPart, options: TranscodeOptions) {
  try {
    return await (wanted === "init" ? transcodeInit : transcodePart)(source, options);
  } catch (cause) {
    if (errorCodeOf(cause) !== "corrupt_file") throw cause;
    throw new AppError("not_supported", "this part cannot be had in another quality", { cause });
  }
}

function findPart(all: readonly MediaParts[], wanted: WantedPart) {
  for (const { init, firstOffset, sizesBytes, areIndependent } of all) {
    let before: ByteRange | undefined;
    let start = firstOffset;
    for (const sizeBytes of sizesBytes) {
      const range = { start, end: start + sizeBytes };
      if (wanted === "init") return { init, range, before: undefined };
      if (range.start === wanted.start && range.end === wanted.end) {
        return { init, range, before: areIndependent ? undefined : before };
      }
      before = range;
      start = range.end;
    }
  }
  return undefined;
}

function notOf(video: Video, quality: Quality): AppError {
  const has = qualitiesOf([video]);
  const message = has.length === 0 ? "there is no other one of it" : `it has ${has.join(", ")}`;
  return new AppError("invalid_input", `this video is not to be had as ${quality}`, {
    issues: [{ path: "quality", message, received: quality }],
  });
}

import { AppError } from "../../../common/errors.ts";
import type { Video } from "../../db/catalog.ts";
import { BoundedTasks } from "../bounded-tasks.ts";
import type { MediaSource } from "../media-source.ts";
import { formatParts, uriOf } from "./format-playlist.ts";
import { type IndexedVideo, planParts } from "./media-parts.ts";

/** About a hundred days of a camera with segments of ten minutes. */
const maxRememberedBytes = 128 * 1024 * 1024;
/** What a string, two arrays and an entry of the map take beside what is in them. */
const overheadBytes = 500;

/**
 * The parts of archived files, each read once and then remembered, the one not asked for for longest forgotten first.
 * A video's bytes never change, so nothing of it grows old; whether its file is still there is for the catalog and for
 * the request of the part itself to say.
 */
export class MediaIndexes {
  readonly #media: Pick<MediaSource, "readIndex">;
  readonly #maxBytes: number;
  readonly #known = new Map<string, IndexedVideo>();
  readonly #reading = new BoundedTasks<IndexedVideo>({ concurrency: 8, queueLength: 1_000 });
  #bytes = 0;

  constructor(media: Pick<MediaSource, "readIndex">, maxBytes = maxRememberedBytes) {
    this.#media = media;
    this.#maxBytes = maxBytes;
  }

  /** At once where it is remembered. Throws what {@link MediaSource.readIndex} throws, and `unavailable` when too many wait. */
  of(video: Video): IndexedVideo | Promise<IndexedVideo> {
    const known = this.#known.get(video.videoId);
    if (known === undefined) return this.#reading.run(video.videoId, () => this.#read(video));
    this.#known.delete(video.videoId);
    this.#known.set(video.videoId, known);
    return known;
  }

  async #read({ videoId, filePath, fileSizeBytes }: Video): Promise<IndexedVideo> {
    const file = await this.#media.readIndex(filePath);
    if (file.identity.videoId !== videoId || file.sizeBytes !== fileSizeBytes) {
      throw new AppError("corrupt_file", `${filePath} is not the file that the catalog knows`);
    }
    const parts = planParts(file);
    const indexed = { parts, lines: formatParts(uriOf({ videoId }), parts) };
    this.#known.set(videoId, indexed);
    this.#bytes += bytesOf(indexed);
    for (const [oldest, forgotten] of this.#known) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#known.delete(oldest);
      this.#bytes -= bytesOf(forgotten);
    }
    return indexed;
  }
}

function bytesOf({ parts, lines }: IndexedVideo): number {
  return lines.length + parts.sizesBytes.byteLength + parts.durationsTicks.byteLength + overheadBytes;
}

import { AppError } from "../../common/errors.ts";
import type { Video } from "../db/catalog.ts";
import type { MediaSource } from "../playback/media-source.ts";
import type { EvidenceEntry } from "./evidence-service.ts";
import { PartsReader } from "./parts-reader.ts";
import { createZipBody, type ZipFile } from "./zip-body.ts";

/**
 * The ZIP of original files. One that turns out not to hash to what the catalog says is reported, and the answer breaks
 * off: an export must never look whole with it.
 */
export function createEvidenceBody(options: {
  media: Pick<MediaSource, "open">;
  entries: readonly EvidenceEntry[];
  onDamaged(video: Video): Promise<void>;
  onError(error: unknown): void;
  nowMs: number;
  onEnd(): void;
}): ReadableStream<Uint8Array> {
  let reader: PartsReader | undefined;

  async function* files(): AsyncGenerator<ZipFile> {
    for (const entry of options.entries) {
      const { name } = entry;
      if ("text" in entry) yield { name, input: entry.text, sizeBytes: Buffer.byteLength(entry.text) };
      else yield { name, input: blocksOf(entry.video), sizeBytes: entry.video.fileSizeBytes };
    }
  }
  async function* blocksOf(video: Video) {
    const hash = new Bun.CryptoHasher("sha256");
    const { filePath, videoId, fileSizeBytes: end } = video;
    const part = { kind: "file", filePath, videoId, start: 0, end } as const;
    reader = new PartsReader({ media: options.media, stretches: [{ part, start: 0, end }], keep: true });
    let readBytes = 0;
    for (let block = await reader.read(); block !== undefined; block = await reader.read()) {
      readBytes += block.length;
      hash.update(block);
      yield block;
    }
    // The client has left, which says nothing of the file: one that ends too early is an error of the reader.
    if (readBytes < end) return;
    if (hash.digest("hex") === video.fileSha256) return;
    await options.onDamaged(video);
    throw new AppError("corrupt_file", `${video.filePath} does not hash to what the catalog says`);
  }

  return createZipBody({
    ...{ files: files(), nowMs: options.nowMs, onError: options.onError },
    async onEnd() {
      options.onEnd();
      await reader?.[Symbol.asyncDispose]();
    },
  });
}

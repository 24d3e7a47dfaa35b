import { AppError } from "../../common/errors.ts";
import type { Video } from "../db/catalog.ts";
import type { MediaSource } from "../playback/media-source.ts";
import type { EvidenceEntry, VideoEntry } from "./evidence-service.ts";
import { PartsReader } from "./parts-reader.ts";
import { createZipBody, type ZipFile } from "./zip-body.ts";
import { zipLength } from "./zip-format.ts";

/** Bytes of the whole ZIP. */
export function sizeOfEvidence(entries: readonly EvidenceEntry[]): number {
  return zipLength(
    entries.map((entry) => ({
      name: entry.name,
      sizeBytes: "text" in entry ? Buffer.byteLength(entry.text) : entry.video.fileSizeBytes,
    })),
  );
}

/**
 * The ZIP of original files, the first block of the first of them read. Throws what that throws. One that turns out not to
 * hash to what the catalog says is reported, and the answer breaks off: an export must never look whole with it.
 */
export async function createEvidenceBody(options: {
  media: Pick<MediaSource, "open" | "sizeOf">;
  entries: readonly EvidenceEntry[];
  client: AbortSignal;
  /** What to throw where the first file cannot be read. */
  refusal(error: unknown, video: Video): Promise<Error>;
  onDamaged(video: Video): Promise<void>;
  onError(error: unknown): void;
  nowMs: number;
  onEnd(): void;
}): Promise<ReadableStream<Uint8Array>> {
  const { media, entries, client } = options;
  const readerOf = ({ filePath, videoId, fileSizeBytes }: Video) => {
    const end = fileSizeBytes;
    const part = { kind: "file", filePath, videoId, fileSizeBytes, start: 0, end } as const;
    return new PartsReader({ media, stretches: [{ part, start: 0, end }] });
  };
  const first = entries.find((entry): entry is VideoEntry => "video" in entry)?.video;
  let reader = first && readerOf(first);
  try {
    await reader?.ready();
  } catch (error) {
    await reader?.[Symbol.asyncDispose]();
    throw first === undefined ? error : await options.refusal(error, first);
  }

  async function* files(): AsyncGenerator<ZipFile> {
    for (const entry of entries) {
      const { name } = entry;
      if ("text" in entry) yield { name, input: entry.text };
      else yield { name, input: blocksOf(entry.video) };
    }
  }
  async function* blocksOf(video: Video) {
    const hash = new Bun.CryptoHasher("sha256");
    if (reader === undefined || video !== first) reader = readerOf(video);
    let readBytes = 0;
    for (let block = await reader.read(); block !== undefined; block = await reader.read()) {
      readBytes += block.length;
      hash.update(block);
      yield block;
    }
    // The client has left, which says nothing of the file: one that ends too early is an error of the reader.
    if (readBytes < video.fileSizeBytes) return;
    if (hash.digest("hex") === video.fileSha256) return;
    await options.onDamaged(video);
    throw new AppError("corrupt_file", `${video.filePath} does not hash to what the catalog says`);
  }

  return createZipBody({
    ...{ files: files(), client, nowMs: options.nowMs, onError: options.onError },
    async onEnd() {
      options.onEnd();
      await reader?.[Symbol.asyncDispose]();
    },
  });
}

import { makeZip } from "client-zip";
import { AppError } from "../../common/errors.ts";
import type { Video } from "../db/catalog.ts";
import type { MediaFile, MediaSource } from "../playback/media-source.ts";
import type { EvidenceEntry } from "./evidence-service.ts";

const blockBytes = 512 * 1024;

/**
 * The ZIP (stored, not compressed: video is), made while it is sent. A file that turns out not to hash to what the
 * catalog says is reported, and the answer breaks off: an export must never look whole with it.
 */
export function createEvidenceBody(options: {
  media: Pick<MediaSource, "open">;
  entries: readonly EvidenceEntry[];
  onDamaged(video: Video): Promise<void>;
  onError(error: unknown): void;
  nowMs: number;
  /** Whatever way it ends. */
  onEnd(): void;
}): ReadableStream<Uint8Array> {
  const { entries, onEnd, onError } = options;
  const lastModified = noonOf(options.nowMs);
  // A ZIP that is given up in its middle leaves the generators where they are, with what they hold.
  let openFile: MediaFile | undefined;
  let hasEnded = false;
  const closeFile = async () => {
    const file = openFile;
    openFile = undefined;
    await file?.[Symbol.asyncDispose]();
  };
  const end = async () => {
    hasEnded = true;
    onEnd();
    await closeFile();
  };

  async function* files() {
    for (const entry of entries) {
      const { name } = entry;
      if ("text" in entry) yield { name, lastModified, input: entry.text };
      else yield { name, lastModified, input: blocksOf(entry.video), size: entry.video.fileSizeBytes };
    }
  }
  async function* blocksOf(video: Video) {
    const hash = new Bun.CryptoHasher("sha256");
    const file = await options.media.open(video.filePath);
    if (hasEnded) return file[Symbol.asyncDispose]();
    openFile = file;
    for (let at = 0; at < video.fileSizeBytes; at += blockBytes) {
      // A new one each time: it is on its way to the client while the next is read.
      const block = new Uint8Array(Math.min(blockBytes, video.fileSizeBytes - at));
      await file.readInto(block, at);
      hash.update(block);
      yield block;
    }
    await closeFile();
    if (hash.digest("hex") === video.fileSha256) return;
    await options.onDamaged(video);
    throw new AppError("corrupt_file", `${video.filePath} does not hash to what the catalog says`);
  }

  const reader = makeZip(files()).getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            await end();
            controller.close();
          } else controller.enqueue(value);
        } catch (error) {
          // Nobody waits for the rest when the client left, and the file was closed under the read.
          if (!hasEnded) onError(error);
          await end();
          throw error;
        }
      },
      async cancel() {
        await end();
        await reader.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * The day at noon. A ZIP has local times without a zone; noon exists on every day in every zone, so whoever reads the
 * time back and writes it again, as `verify` does, gets the same bytes.
 */
function noonOf(ms: number): Date {
  const day = new Date(ms);
  return new Date(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate(), 12);
}

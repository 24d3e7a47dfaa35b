import { scanSegment } from "../../common/mp4/segment-scan.ts";
import { planSubsegments, type Subsegment } from "../../common/mp4/sidx.ts";
import type { SpoolFootage } from "./spool-footage.ts";

/** What is where in a segment's file: the init segment, and then the fragments end to end, as the archive's index will say. */
export interface FootageIndex {
  videoId: string;
  cameraId: string;
  isComplete: boolean;
  initSizeBytes: number;
  timescale: number;
  fragments: readonly Subsegment[];
}

/** Some 50 bytes for each fragment. */
const maxRemembered = 16;

/** Looks through files one at a time, in small reads, and remembers those that nothing is added to. */
export class FootageIndexes {
  readonly #footage: Pick<SpoolFootage, "open">;
  readonly #known = new Map<string, FootageIndex>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(footage: Pick<SpoolFootage, "open">) {
    this.#footage = footage;
  }

  /** Throws `not_found`, `corrupt_file`, `io`, and `cancelled` when `signal` aborts before its turn. */
  of(videoId: string, signal: AbortSignal): Promise<FootageIndex> {
    const mine = this.#turn.then(() => {
      signal.throwIfAborted();
      return this.#known.get(videoId) ?? this.#look(videoId);
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #look(videoId: string): Promise<FootageIndex> {
    const opened = await this.#footage.open(videoId);
    await using file = opened.file;
    const { cameraId, isComplete } = opened;
    const { init, index } = await scanSegment(file, { checkTailBytes: 0 });
    const fragments: Subsegment[] = [];
    let end = init.bytes.length;
    for (const fragment of index.video.sampleCount === 0 ? [] : planSubsegments(index)) {
      end += fragment.sizeBytes;
      // Written since, and perhaps not whole.
      if (end > opened.sizeBytes) break;
      fragments.push(fragment);
    }
    const found: FootageIndex = {
      ...{ videoId, cameraId, isComplete, fragments },
      initSizeBytes: init.bytes.length,
      timescale: init.video.timescale,
    };
    if (isComplete) this.#remember(found);
    return found;
  }

  #remember(index: FootageIndex): void {
    const oldest = this.#known.keys().next();
    if (this.#known.size >= maxRemembered && !oldest.done) this.#known.delete(oldest.value);
    this.#known.set(index.videoId, index);
  }
}

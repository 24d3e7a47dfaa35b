import { join } from "node:path";
import * as v from "valibot";
import { writeFileAtomic } from "../../common/atomic-file.ts";
import { ArchiveId, VideoId } from "../../common/ids.ts";
import { NonNegativeInteger } from "../../common/protocol/wire.ts";
import { readJson } from "./segment-record.ts";

const SpoolStateJson = v.object({
  archive_id: v.optional(ArchiveId),
  lost_segments: v.optional(NonNegativeInteger, 0),
  upload_first: v.optional(v.array(VideoId), []),
});

/** `state.json`: the little that the spool remembers beside its segments. Unreadable means unknown, never a stop. */
export class SpoolState {
  readonly #path: string;
  #archiveId: string | undefined;
  #lostSegments: number;
  #uploadFirst: readonly string[];

  private constructor(path: string, json: v.InferOutput<typeof SpoolStateJson>) {
    this.#path = path;
    this.#archiveId = json.archive_id;
    this.#lostSegments = json.lost_segments;
    this.#uploadFirst = json.upload_first;
  }

  static async open(root: string): Promise<SpoolState> {
    const path = join(root, "state.json");
    const parsed = v.safeParse(SpoolStateJson, await readJson(path));
    return new SpoolState(path, parsed.success ? parsed.output : { lost_segments: 0, upload_first: [] });
  }

  /** The archive that the hub said these segments belong to; learned once, known at the next start without a hub. */
  get archiveId(): string | undefined {
    return this.#archiveId;
  }

  /** Segments deleted before they were safe, since the spool was made. */
  get lostSegments(): number {
    return this.#lostSegments;
  }

  /** Segments that somebody waits for, the one to be archived first first. */
  get uploadFirst(): readonly string[] {
    return this.#uploadFirst;
  }

  async setUploadFirst(videoIds: readonly string[]): Promise<void> {
    this.#uploadFirst = videoIds;
    await this.#save();
  }

  async setArchiveId(archiveId: string): Promise<void> {
    if (archiveId === this.#archiveId) return;
    this.#archiveId = archiveId;
    await this.#save();
  }

  async addLostSegment(): Promise<void> {
    this.#lostSegments++;
    await this.#save();
  }

  async #save(): Promise<void> {
    const json: v.InferInput<typeof SpoolStateJson> = {
      ...(this.#archiveId === undefined ? {} : { archive_id: this.#archiveId }),
      lost_segments: this.#lostSegments,
      ...(this.#uploadFirst.length > 0 && { upload_first: [...this.#uploadFirst] }),
    };
    await writeFileAtomic(this.#path, `${JSON.stringify(json, null, 1)}\n`);
  }
}

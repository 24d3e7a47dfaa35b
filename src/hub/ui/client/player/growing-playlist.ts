/** A part of a media playlist, as a byte range of a file. */
interface Part {
  /** What stands before it: a discontinuity, an init segment, its date. */
  head: string;
  uri: string;
  offset: number;
  sizeBytes: number;
  seconds: number;
  /** In ms since 1970 UTC. */
  wallMs: number;
}

/** Clocks that are slewed, and times that are rounded. */
const roundingMs = 250;

const endMsOf = ({ wallMs, seconds }: Part) => wallMs + seconds * 1000;
const endOf = ({ offset, sizeBytes }: Part) => offset + sizeBytes;

/**
 * Playlists of what is on the edge are told whole each time and end (docs/decisions.md); their last part is longer the next
 * time. A player is given them as one that grows: what it was told stays as it was, and what is behind it is appended.
 */
export class GrowingPlaylist {
  #head = "";
  readonly #parts: Part[] = [];

  /** What the player is given; as before where it is not told how to go on. */
  next(told: string): string {
    const { head, parts } = parse(told);
    if (this.#parts.length === 0) this.#head = head.replace("PLAYLIST-TYPE:VOD", "PLAYLIST-TYPE:EVENT");
    for (const part of parts) {
      const added = this.#restOf(part);
      if (added === "unknown") break;
      if (added) this.#parts.push(added);
    }
    return this.#head + this.#parts.map(formatPart).join("");
  }

  /** What of a part is behind the last. */
  #restOf(part: Part): Part | "unknown" | undefined {
    const last = this.#parts.at(-1);
    if (!last || part.wallMs > endMsOf(last) - roundingMs) return part;
    const seconds = (endMsOf(part) - endMsOf(last)) / 1000;
    if (seconds * 1000 < roundingMs) return undefined;
    // Archived meanwhile, it has other bytes.
    if (part.uri !== last.uri || part.offset > endOf(last)) return "unknown";
    const sizeBytes = endOf(part) - endOf(last);
    if (sizeBytes <= 0) return undefined;
    return { ...part, head: "", offset: endOf(last), sizeBytes, seconds, wallMs: endMsOf(last) };
  }
}

function formatPart({ head, uri, offset, sizeBytes, seconds }: Part): string {
  return `${head}#EXTINF:${seconds.toFixed(6)},\n#EXT-X-BYTERANGE:${sizeBytes}@${offset}\n${uri}\n`;
}

function parse(playlist: string): { head: string; parts: Part[] } {
  const parts: Part[] = [];
  let head = "";
  let ofPart = "";
  let seconds = 0;
  let range = [0, 0];
  let wallMs = Number.NaN;
  for (const line of playlist.split("\n")) {
    const [, tag = "", value = ""] = /^#(EXT[A-Z0-9-]*):?(.*)$/.exec(line) ?? [];
    if (tag === "EXTINF") seconds = Number.parseFloat(value);
    else if (tag === "EXT-X-BYTERANGE") range = value.split("@").map(Number);
    else if (/^EXT-X-(?:DISCONTINUITY|MAP|PROGRAM-DATE-TIME)$/.test(tag)) {
      ofPart += `${line}\n`;
      if (tag === "EXT-X-PROGRAM-DATE-TIME") wallMs = Date.parse(value);
    } else if (tag !== "") {
      if (parts.length === 0 && tag !== "EXT-X-ENDLIST") head += `${line}\n`;
    } else if (line !== "") {
      const [sizeBytes = 0, offset = 0] = range;
      parts.push({ head: ofPart, uri: line, offset, sizeBytes, seconds, wallMs });
      ofPart = "";
      wallMs += seconds * 1000;
    }
  }
  return { head, parts };
}

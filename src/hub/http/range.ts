/** Bytes [start, end) of a file. */
export interface ByteRange {
  start: number;
  end: number;
}

/** What to answer: 200 with everything, 206 with one part, 206 with `multipart/byteranges`, or 416. */
export type RangePlan =
  | { kind: "whole" }
  | { kind: "single"; range: ByteRange }
  | { kind: "multiple"; ranges: readonly ByteRange[] }
  | { kind: "refused"; reason: string };

/** More ranges than this in one request are refused with 416 (RFC 9110 section 14.2); players ask for one. */
export const maxRangesPerRequest = 64;

/** Two parts closer than this are sent as one: the header of a part is longer than the bytes between them. */
const coalesceGapBytes = 128;

/**
 * Decides on a `Range` header of a GET (RFC 9110 section 14). Only an unknown unit is ignored, as the standard
 * demands. Where it leaves the choice between ignoring and rejecting (bad syntax, too many ranges) we reject: the
 * whole of a file of gigabytes helps nobody who asked for a part of it.
 *
 * Overlapping and neighbouring ranges are joined, so no byte is ever sent twice; what is left is in the order asked.
 */
export function planRange(header: string | undefined, sizeBytes: number): RangePlan {
  if (header === undefined) return { kind: "whole" };
  const equals = header.indexOf("=");
  if (header.slice(0, equals === -1 ? 0 : equals).toLowerCase() !== "bytes") return { kind: "whole" };

  const specs = splitList(header.slice(equals + 1));
  if (specs.length > maxRangesPerRequest) {
    return { kind: "refused", reason: `more than ${maxRangesPerRequest} ranges` };
  }
  const ranges: ByteRange[] = [];
  let suffixOfEmptyFile = false;
  for (const spec of specs) {
    const range = parseSpec(spec, sizeBytes);
    if (range === "invalid") return { kind: "refused", reason: "not a valid range of bytes" };
    if (range === "unsatisfiable") continue;
    if (range.start === range.end) suffixOfEmptyFile = true;
    else ranges.push(range);
  }
  if (specs.length === 0) return { kind: "refused", reason: "not a valid range of bytes" };
  // Satisfiable by the letter, but a 206 cannot say "no bytes".
  if (ranges.length === 0 && suffixOfEmptyFile) return { kind: "whole" };

  const parts = coalesce(ranges);
  const [first] = parts;
  if (first === undefined) return { kind: "refused", reason: "the file ends before it" };
  return parts.length === 1 ? { kind: "single", range: first } : { kind: "multiple", ranges: parts };
}

/** `#rule` lists may have empty elements (RFC 9110 section 5.6.1.2). */
function splitList(text: string): string[] {
  return text
    .split(",", 4096)
    .map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((part) => part !== "");
}

function parseSpec(spec: string, sizeBytes: number): ByteRange | "invalid" | "unsatisfiable" {
  const match = /^(\d*)-(\d*)$/.exec(spec);
  if (!match) return "invalid";
  const [, first = "", last = ""] = match;
  if (first === "") {
    if (last === "") return "invalid";
    // Numbers of any length are grammatical; past 2^53 they only have to stay large, and they do.
    const suffixLength = Number(last);
    return suffixLength === 0
      ? "unsatisfiable"
      : { start: Math.max(0, sizeBytes - suffixLength), end: sizeBytes };
  }
  const start = Number(first);
  if (last !== "" && isLess(last, first)) return "invalid";
  if (start >= sizeBytes) return "unsatisfiable";
  return { start, end: last === "" ? sizeBytes : Math.min(sizeBytes, Number(last) + 1) };
}

/** Compares digit strings of any length exactly. */
function isLess(a: string, b: string): boolean {
  if (a.length < 16 && b.length < 16) return Number(a) < Number(b);
  const [x, y] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  return x.length === y.length ? x < y : x.length < y.length;
}

function coalesce(ranges: readonly ByteRange[]): ByteRange[] {
  const byStart = ranges.map((range, order) => ({ ...range, order })).sort((a, b) => a.start - b.start);
  const joined: { start: number; end: number; order: number }[] = [];
  for (const range of byStart) {
    const last = joined.at(-1);
    if (last && range.start <= last.end + coalesceGapBytes) {
      last.end = Math.max(last.end, range.end);
      last.order = Math.min(last.order, range.order);
    } else joined.push(range);
  }
  return joined.sort((a, b) => a.order - b.order).map(({ start, end }) => ({ start, end }));
}

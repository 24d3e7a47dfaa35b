/** What identifies the bytes of an answer. The ETag is strong: with its quotes, without `W/`. */
export interface Validators {
  etag: string;
  lastModifiedMs: number;
}

/** The conditional headers of a request; undefined where absent. */
export interface ConditionalHeaders {
  ifMatch: string | undefined;
  ifNoneMatch: string | undefined;
  ifModifiedSince: string | undefined;
  ifUnmodifiedSince: string | undefined;
  ifRange: string | undefined;
}

export function conditionalHeadersOf({ headers }: Request): ConditionalHeaders {
  const value = (name: string) => headers.get(name) ?? undefined;
  return {
    ifMatch: value("if-match"),
    ifNoneMatch: value("if-none-match"),
    ifModifiedSince: value("if-modified-since"),
    ifUnmodifiedSince: value("if-unmodified-since"),
    ifRange: value("if-range"),
  };
}

export type PreconditionResult = "proceed" | "not_modified" | "failed";

/** RFC 9110 section 13.2.2, for GET and HEAD, in its order; a date that is none is ignored, as it says. */
export function checkPreconditions(headers: ConditionalHeaders, known: Validators): PreconditionResult {
  const modifiedSeconds = Math.floor(known.lastModifiedMs / 1000);
  if (headers.ifMatch !== undefined) {
    if (!matchesAny(headers.ifMatch, known.etag, "strong")) return "failed";
  } else {
    const limit = secondsOf(headers.ifUnmodifiedSince);
    if (limit !== undefined && modifiedSeconds > limit) return "failed";
  }
  if (headers.ifNoneMatch !== undefined) {
    return matchesAny(headers.ifNoneMatch, known.etag, "weak") ? "not_modified" : "proceed";
  }
  const since = secondsOf(headers.ifModifiedSince);
  return since !== undefined && modifiedSeconds <= since ? "not_modified" : "proceed";
}

/**
 * Whether a `Range` may be honoured (RFC 9110 section 13.1.5). Our dates are strong validators, since the bytes
 * behind a video's id never change.
 */
export function ifRangeHolds(ifRange: string | undefined, known: Validators): boolean {
  if (ifRange === undefined) return true;
  if (/^(?:W\/)?"/.test(ifRange)) return ifRange === known.etag;
  return parseHttpDate(ifRange) === Math.floor(known.lastModifiedMs / 1000) * 1000;
}

function matchesAny(header: string, etag: string, comparison: "strong" | "weak"): boolean {
  if (header.trim() === "*") return true;
  for (const [, weak, opaque] of header.matchAll(/(W\/)?("[^"]*")/g)) {
    if (opaque === etag && (comparison === "weak" || weak === undefined)) return true;
  }
  return false;
}

function secondsOf(date: string | undefined): number | undefined {
  const ms = date === undefined ? undefined : parseHttpDate(date);
  return ms === undefined ? undefined : ms / 1000;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const imfFixdate = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;
const rfc850Date = /^[A-Z][a-z]+day, (\d\d)-([A-Z][a-z]{2})-(\d\d) (\d\d):(\d\d):(\d\d) GMT$/;
const asctimeDate = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{4})$/;

/** The three forms of RFC 9110 section 5.6.7, as ms since 1970; undefined for anything else. */
export function parseHttpDate(text: string): number | undefined {
  const imf = imfFixdate.exec(text);
  if (imf) return utc(Number(imf[3]), imf[2], imf[1], imf.slice(4, 7));
  const rfc850 = rfc850Date.exec(text);
  // A two-digit year more than fifty years ahead means the past; nothing of ours is from before 1970.
  if (rfc850) {
    const year = Number(rfc850[3]);
    return utc(year < 70 ? 2000 + year : 1900 + year, rfc850[2], rfc850[1], rfc850.slice(4, 7));
  }
  const asctime = asctimeDate.exec(text);
  if (asctime) return utc(Number(asctime[6]), asctime[1], asctime[2], asctime.slice(3, 6));
  return undefined;
}

function utc(
  year: number,
  monthName: string | undefined,
  day: string | undefined,
  time: readonly string[],
): number | undefined {
  const month = months.indexOf(monthName ?? "");
  const [hour = Number.NaN, minute = Number.NaN, second = Number.NaN] = time.map(Number);
  if (month === -1 || hour > 23 || minute > 59 || second > 60) return undefined;
  const ms = Date.UTC(year, month, Number(day), hour, minute, second);
  return new Date(ms).getUTCDate() === Number(day) || second === 60 ? ms : undefined;
}

/** `Tue, 23 Sep 2025 06:30:00 GMT` */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString();
}

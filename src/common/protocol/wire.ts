import * as v from "valibot";

/**
 * Time on every wire and in every file: RFC 3339 in UTC with milliseconds, `2025-09-23T06:30:00.000Z`.
 * Accepts any offset and precision RFC 3339 allows; the output is milliseconds since 1970.
 */
export const WireTime = v.pipe(
  v.string(),
  v.regex(
    /^\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/,
    "an RFC 3339 time such as 2025-09-23T06:30:00.000Z",
  ),
  // For the API's description: what the pattern does not say, such as that there is no 30th of February.
  v.metadata({ format: "date-time" }),
  v.transform((text) => (isDay(text.slice(0, 10)) ? Date.parse(text.toUpperCase()) : Number.NaN)),
  v.number("a time that exists"),
  // In UTC it has to be one, too, since that is how it is written.
  v.minValue(Date.parse("0000-01-01T00:00:00.000Z"), "a time that exists"),
  v.maxValue(Date.parse("9999-12-31T23:59:59.999Z"), "a time that exists"),
);

/** `Date.parse` takes 2025-02-30 for the second of March. */
function isDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date);
}

/** Milliseconds since 1970 as the wire writes them. */
export function formatWireTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Names found to be zones: asking the runtime costs more than the rest of a segment's identity. There are some hundred. */
const knownZones = new Set<string>();

function isTimeZone(name: string): boolean {
  if (knownZones.has(name)) return true;
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
  } catch {
    return false;
  }
  // Any case is the same zone, so there is no end to the names.
  if (knownZones.size < 1_000) knownZones.add(name);
  return true;
}

/** An IANA time zone that this runtime knows, `Asia/Seoul`. */
export const TimeZone = v.pipe(
  v.string(),
  v.maxLength(64),
  v.check(isTimeZone, "an IANA time zone such as Asia/Seoul or UTC"),
);

const safeInteger = v.pipe(v.number(), v.safeInteger("a whole number"));
export const NonNegativeInteger = v.pipe(safeInteger, v.minValue(0));
export const PositiveInteger = v.pipe(safeInteger, v.minValue(1));
/** Text for people: bounded, no control characters (they forge log lines and headers), no half of a surrogate pair. */
export const PlainText = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.maxLength(maxLength),
    // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
    v.regex(/^[^\u0000-\u001f\u007f]*$/, "text without control characters"),
    v.check((text) => text.isWellFormed(), "text in well-formed Unicode"),
  );

/** Any text as {@link PlainText} takes it. The end may be the half of a pair. */
export function plainTextOf(text: string, maxLength: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: removing them is the point
  const plain = text.replace(/[\u0000-\u001f\u007f]+/g, " ");
  return plain.slice(0, maxLength).toWellFormed();
}

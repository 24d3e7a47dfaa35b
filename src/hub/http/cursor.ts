import { timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { AppError } from "../../common/errors.ts";
import { VideoId } from "../../common/ids.ts";

const Payload = v.strictTuple([v.literal(1), v.pipe(v.number(), v.safeInteger()), VideoId]);
const signatureBytes = 12;

/** Where a page begins: strictly after what has this time and this id, in the order asked for. */
export interface CursorKey {
  startTimeMs: number;
  /** Of a video, or of whatever the list is made of; a UUIDv7. */
  videoId: string;
}

/**
 * Cursors: where a page begins, as text that means nothing to others. Each is signed together with the conditions it
 * was made for, so one that was forged, comes from another hub, or is used with other conditions is refused instead
 * of answering with a page that makes no sense.
 */
export interface CursorCodec {
  /** `conditions`: everything else that was asked for, as {@link conditionsOf} writes it. */
  encode(key: CursorKey, conditions: string): string;
  /** Throws `invalid_input`. */
  decode(cursor: string, conditions: string): CursorKey;
}

export function createCursorCodec(secret: string): CursorCodec {
  const sign = (payload: string, conditions: string) =>
    new Bun.CryptoHasher("sha256", secret)
      .update(`${payload}\n${conditions}`)
      .digest()
      .subarray(0, signatureBytes);

  return {
    encode({ startTimeMs, videoId }, conditions) {
      const payload = Buffer.from(JSON.stringify([1, startTimeMs, videoId])).toString("base64url");
      return `${payload}.${sign(payload, conditions).toString("base64url")}`;
    },

    decode(cursor, conditions) {
      const [payload = "", signature = "", ...rest] = cursor.split(".");
      const given = Buffer.from(signature, "base64url");
      const isOurs =
        rest.length === 0 &&
        given.length === signatureBytes &&
        timingSafeEqual(given, sign(payload, conditions)) &&
        given.toString("base64url") === signature;
      if (!isOurs) throw notOurs();
      const parsed = v.safeParse(Payload, JSON.parse(Buffer.from(payload, "base64url").toString()));
      if (!parsed.success) throw notOurs();
      const [, startTimeMs, videoId] = parsed.output;
      return { startTimeMs, videoId };
    },
  };
}

/** The same text for the same conditions, in whatever order they were written. `limit` may change between pages. */
export function conditionsOf(parameters: object): string {
  const entries = Object.entries(parameters).filter(
    ([name, value]) => name !== "cursor" && name !== "limit" && value !== undefined,
  );
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function notOurs(): AppError {
  const message = "a next_cursor of this hub, with the parameters it was answered to";
  return new AppError("invalid_input", "the cursor is not valid", {
    issues: [{ path: "cursor", message: `expected ${message}` }],
  });
}

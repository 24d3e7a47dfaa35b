import * as v from "valibot";
import { CameraId, VideoId } from "../ids.ts";
import { RequestId } from "./link.ts";
import { NonNegativeInteger } from "./wire.ts";

/**
 * A binary message of the link: what it is, and its bytes.
 *
 * ```
 * byte 0       1, the version of this form
 * byte 1       0, reserved
 * bytes 2, 3   length of the header, big endian
 * header       JSON in UTF-8, at most 4096 bytes
 * payload      the rest
 * ```
 */
export const LinkFrameHeader = v.variant("type", [
  /** The answer to a request for a picture. */
  v.object({
    type: v.literal("snapshot"),
    id: RequestId,
    camera_id: CameraId,
    media_type: v.literal("image/jpeg"),
  }),
  /** The answer to a request for a part of a segment: its bytes from `start` on. */
  v.object({ type: v.literal("segment_part"), id: RequestId, video_id: VideoId, start: NonNegativeInteger }),
  /** The init segment of a camera that is watched: before the first fragment, and whenever a new run begins. */
  v.object({
    type: v.literal("live_init"),
    camera_id: CameraId,
    /** RFC 6381, video and audio joined by a comma. */
    codecs: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.]{1,60}(?:,[A-Za-z0-9.]{1,60}){0,3}$/)),
    width: NonNegativeInteger,
    height: NonNegativeInteger,
  }),
  /** A fragment (`moof` and `mdat`) of a camera that is watched. */
  v.object({
    type: v.literal("live_fragment"),
    camera_id: CameraId,
    starts_with_keyframe: v.boolean(),
  }),
  /** A camera that is watched is paused: nothing comes before the next init segment. No payload. */
  v.object({ type: v.literal("live_stopped"), camera_id: CameraId }),
]);
export type LinkFrameHeader = v.InferOutput<typeof LinkFrameHeader>;

export interface LinkFrame {
  header: LinkFrameHeader;
  /** A part of the message's own memory. */
  payload: Uint8Array<ArrayBuffer>;
}

const frameVersion = 1;
const fixedBytes = 4;
const maxHeaderBytes = 4096;

/** The bytes of `payload` are copied. */
export function formatLinkFrame({
  header,
  payload,
}: {
  header: LinkFrameHeader;
  payload: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const frame = new Uint8Array(fixedBytes + json.byteLength + payload.byteLength);
  new DataView(frame.buffer).setUint32(0, (frameVersion << 24) | json.byteLength);
  frame.set(json, fixedBytes);
  frame.set(payload, fixedBytes + json.byteLength);
  return frame;
}

/** Inverse of {@link formatLinkFrame}; undefined for what is not, or not yet, known here. */
export function parseLinkFrame(frame: Uint8Array<ArrayBuffer>): LinkFrame | undefined {
  if (frame.byteLength < fixedBytes || frame[0] !== frameVersion || frame[1] !== 0) return undefined;
  const headerBytes = new DataView(frame.buffer, frame.byteOffset).getUint16(2);
  const payloadAt = fixedBytes + headerBytes;
  if (headerBytes > maxHeaderBytes || payloadAt > frame.byteLength) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(frame.subarray(fixedBytes, payloadAt)),
    );
  } catch {
    return undefined;
  }
  const header = v.safeParse(LinkFrameHeader, json);
  return header.success ? { header: header.output, payload: frame.subarray(payloadAt) } : undefined;
}

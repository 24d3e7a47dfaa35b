import { checkInput } from "../input-issues.ts";
import {
  formatSegmentIdentity,
  identityOf,
  type SegmentIdentity,
  SegmentIdentityJson,
} from "../segment-identity.ts";
import { u32s, writeBox } from "./box-writer.ts";
import { type Box, corrupt } from "./boxes.ts";
import { ByteCursor } from "./byte-cursor.ts";

/** The extended type of livecam's `uuid` box: ef352381-6649-46b1-a78e-9106ef0df6c1, drawn once and never to change. */
export const livecamUuid = Uint8Array.fromHex("ef352381664946b1a78e9106ef0df6c1");

/** Room for all fields, so that a segment that is dated anew keeps its length. */
const minBoxBytes = 1024;
const maxBoxBytes = 64 * 1024;
/** Box header, extended type, checksum. */
const overheadBytes = 8 + 16 + 4;

/** The `uuid` box (ISO/IEC 14496-12 4.2): JSON padded with spaces, then its CRC-32. */
export function writeIdentityBox(identity: SegmentIdentity): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(formatSegmentIdentity(identity)));
  const padded = new Uint8Array(Math.max(json.length, minBoxBytes - overheadBytes)).fill(0x20);
  padded.set(json);
  return writeBox("uuid", livecamUuid, padded, u32s(Bun.hash.crc32(padded)));
}

export function isIdentityBox(bytes: Uint8Array, box: Box): boolean {
  const type = bytes.subarray(box.contentStart, Math.min(box.contentStart + 16, box.end));
  return box.type === "uuid" && type.length === 16 && type.every((byte, i) => byte === livecamUuid[i]);
}

/** Throws `corrupt_file` when the box is damaged or its JSON is not an identity. */
export function parseIdentityBox(bytes: Uint8Array, box: Box): SegmentIdentity {
  if (box.end - box.start > maxBoxBytes) throw corrupt("the identity box is too large");
  const cursor = ByteCursor.ofBox(bytes, box, 16);
  const padded = cursor.take(cursor.remaining - 4);
  if (cursor.u32() !== Bun.hash.crc32(padded)) {
    throw corrupt("the identity box is damaged: its checksum differs");
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(padded));
  } catch {
    throw corrupt("the identity box does not hold an identity: it is not JSON");
  }
  const result = checkInput(SegmentIdentityJson, json);
  if (result.ok) return identityOf(result.output);
  const issues = result.issues.slice(0, 3).map(({ path, message }) => `${path}: ${message}`);
  throw corrupt(`the identity box does not hold an identity: ${issues.join("; ")}`);
}

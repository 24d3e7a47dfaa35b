import { AppError } from "../../common/errors.ts";
import { problemOf, problemResponse } from "./problem-response.ts";

/** Real bodies have five levels; a deeper one is an attack on whatever walks it. */
const maxDepth = 32;
const readDeadlineMs = 30_000;

/**
 * Reads and parses a JSON body. Answers with a problem for a wrong media type (415), too many bytes (413) and a
 * sender that takes more than half a minute (408); throws `invalid_input` for what is not an object
 * in JSON (RFC 8259).
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const mediaType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const encoding = request.headers.get("content-encoding");
  if (mediaType !== "application/json" || (encoding !== null && encoding.toLowerCase() !== "identity")) {
    const detail = "send the body as application/json, not compressed";
    return problemResponse(problemOf({ status: 415, code: "unsupported_media_type", detail }));
  }
  const bytes = await readBody(request, maxBytes);
  if (bytes instanceof Response) return bytes;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("invalid_input", "the body is not UTF-8", { cause });
  }
  if (isTooDeep(text))
    throw new AppError("invalid_input", `the body is nested deeper than ${maxDepth} levels`);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new AppError("invalid_input", "the body is not JSON", { cause });
  }
  // To a schema for objects an empty list would look like one.
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new AppError("invalid_input", "the body is not a JSON object");
  }
  return body;
}

/** The body's bytes, never more than `maxBytes` of them in memory, or the problem to answer with. */
export async function readBody(
  request: Request,
  maxBytes: number,
  deadlineMs = readDeadlineMs,
): Promise<Uint8Array | Response> {
  const tooLarge = () => {
    const detail = `the body may have at most ${maxBytes} bytes`;
    return problemResponse(problemOf({ status: 413, code: "too_large", detail }));
  };
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return tooLarge();
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  let isLate = false;
  const deadline = setTimeout(() => {
    isLate = true;
    void reader.cancel().catch(() => undefined);
  }, deadlineMs);
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.byteLength;
      if (size > maxBytes) {
        await reader.cancel();
        return tooLarge();
      }
      chunks.push(value);
    }
  } finally {
    clearTimeout(deadline);
  }
  if (isLate) {
    return problemResponse(problemOf({ status: 408, code: "timeout", detail: "the body came too slowly" }));
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

import { AppError } from "../../common/errors.ts";

/** The body as text. Throws `unavailable` past `maxBytes`, without reading on: an answer may have no end. */
export async function readBounded(response: Response, maxBytes: number): Promise<string> {
  if (!response.body) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new AppError("unavailable", `the hub's answer is longer than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

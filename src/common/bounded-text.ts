import { open } from "node:fs/promises";
import { AppError } from "./errors.ts";

const stepBytes = 64 * 1024;

/**
 * The text of a small file, or of a pipe that a program writes it to. Throws `invalid_input` when it is longer than
 * `maxBytes`, whatever it is: a device may have no end.
 */
export async function readBoundedText(path: string, maxBytes: number): Promise<string> {
  const file = await open(path);
  try {
    const chunks: Uint8Array[] = [];
    for (let size = 0; ; ) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(stepBytes), 0, stepBytes, null);
      if (bytesRead === 0) return Buffer.concat(chunks).toString("utf8");
      size += bytesRead;
      if (size > maxBytes) throw new AppError("invalid_input", `it is longer than ${maxBytes} bytes`);
      chunks.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

import { readFile } from "node:fs/promises";

/**
 * What matters of a Raspberry Pi here: `pi4`, a Pi 4 or older (Zero, Compute Module, 400 included), encodes H.264 in
 * hardware; `pi5`, a Pi 5 or newer, does not; `none` is any other machine.
 */
export type PiModel = "pi4" | "pi5" | "none";

/** Reads the device tree; `none` where there is no such file. */
export async function detectPiModel(path = "/proc/device-tree/model"): Promise<PiModel> {
  try {
    return piModelOf(await readFile(path, "utf8"));
  } catch {
    // Not an error: a machine without a device tree is not a Pi.
    return "none";
  }
}

/** `Raspberry Pi 5 Model B Rev 1.0`, `Raspberry Pi Compute Module 4 Rev 1.1`, `Raspberry Pi 500`, with a NUL at the end. */
export function piModelOf(text: string): PiModel {
  const match = /^Raspberry Pi (?:Compute Module )?(\d+)?/.exec(text);
  if (!match) return "none";
  // `400` and `500` are keyboards with a Pi 4 or 5 in them. Zero and the first Pi have no number.
  const generation = Number(match[1]?.[0] ?? 1);
  return generation >= 5 ? "pi5" : "pi4";
}

/** What matters of a Raspberry Pi here: whether it encodes H.264 in hardware (4 and older) or not (5), or is none. */
export type PiModel = "pi4" | "pi5" | "none";

/** Reads the device tree; `none` where there is no such file. */
export function detectPiModel(_path = "/proc/device-tree/model"): Promise<PiModel> {
  return Promise.reject(new Error("not implemented"));
}

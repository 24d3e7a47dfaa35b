import { type Finding, fail, ok, warn } from "./finding.ts";
import type { ProgramOutput } from "./program-output.ts";

/** Whether rpicam-vid is there and can hand on a container with times, which the `-lite` package cannot. */
export async function checkRpicam(outputOf: ProgramOutput): Promise<Finding> {
  const check = "rpicam-apps";
  const install = "sudo apt install rpicam-apps (not rpicam-apps-lite, which lacks the encoder)";
  const text = await outputOf(["rpicam-vid", "--version"]);
  if (text === undefined) return fail(check, "rpicam-vid cannot be started", install);
  const version = /build: (\S+)/.exec(text)?.[1] ?? "of an unknown version";
  // Older ones do not tell what they can do, but know the option only when they can.
  const told = /\blibav:([01])/.exec(text)?.[1];
  const hasLibav = told
    ? told === "1"
    : /--libav-format/.test((await outputOf(["rpicam-vid", "--help"])) ?? "");
  if (hasLibav) return ok(check, `rpicam-apps ${version}, with libav`);
  return fail(check, `rpicam-apps ${version} was built without libav`, install);
}

/** Bits of `vcgencmd get_throttled`; the same ones 16 higher say that it was so since the boot. */
const throttling = [
  [0, "under-voltage", "use the official power supply and a short, thick cable"],
  [1, "a capped clock of the processor", "cool it, or give it more power"],
  [2, "throttling", "cool it, or give it more power"],
  [3, "the soft temperature limit", "cool it: a heat sink or a fan"],
] as const;

/** Power and heat of a Raspberry Pi; undefined where the machine does not tell. */
export async function checkPower(outputOf: ProgramOutput): Promise<Finding | undefined> {
  const text = await outputOf(["vcgencmd", "get_throttled"]);
  const hex = /^throttled=0x([0-9a-f]+)/im.exec(text ?? "")?.[1];
  if (hex === undefined) return undefined;
  const check = "power";
  const bits = Number.parseInt(hex, 16);
  const found = (shift: number) => throttling.filter(([bit]) => bits & (1 << (bit + shift)));
  const now = found(0);
  const before = found(16);
  const names = (list: typeof now) => list.map(([, name]) => name).join(", ");
  const advice = [...new Set([...now, ...before].map(([, , what]) => what))].join("; ");
  if (now.length > 0) return fail(check, `right now there is ${names(now)}`, advice);
  if (before.length > 0) return warn(check, `since the boot there was ${names(before)}`, advice);
  return ok(check, "no under-voltage and no throttling since the boot");
}

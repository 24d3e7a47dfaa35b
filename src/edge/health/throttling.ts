import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../common/child-process.ts";
import type { Clock } from "../../common/clock.ts";
import type { Throttling, ThrottlingFlags } from "../../common/protocol/node.ts";

export interface ThrottlingOptions {
  clock: Clock;
  /** Where `/sys` and `/proc` are; another folder in tests. */
  root?: string;
  /** Asked where the kernel has no file of it. */
  program?: readonly string[];
}

type Source = { kind: "file"; path: string } | { kind: "program" } | { kind: "none" };

/** Of the bus on which the firmware of a Raspberry Pi is a device: `soc:firmware`, with an address in between on some. */
const devices = "sys/bus/platform/devices";
const programLimitMs = 2000;
/** A program is started no more often than this. */
const programEveryMs = 30_000;

/**
 * What the firmware of a Raspberry Pi says of power and heat: by the kernel's file, or by `vcgencmd`. Null on other
 * machines, and where neither answers.
 */
export class ThrottlingReader {
  readonly #options: Required<ThrottlingOptions>;
  #source: Source | undefined;
  #last: { atMs: number; value: Throttling | null } | undefined;

  constructor(options: ThrottlingOptions) {
    this.#options = { root: "/", program: ["vcgencmd", "get_throttled"], ...options };
  }

  /** Never rejects. */
  async read(): Promise<Throttling | null> {
    this.#source ??= await this.#find();
    switch (this.#source.kind) {
      case "none":
        return null;
      case "file":
        return parseThrottling(await readFile(this.#source.path, "utf8").catch(() => ""));
      case "program":
        return this.#ask();
    }
  }

  async #find(): Promise<Source> {
    const { root } = this.#options;
    const names = await readdir(join(root, devices)).catch(() => []);
    for (const name of names.filter((name) => name.endsWith("firmware"))) {
      const path = join(root, devices, name, "get_throttled");
      const text = await readFile(path, "utf8").catch(() => "");
      if (parseThrottling(text)) return { kind: "file", path };
    }
    const model = await readFile(join(root, "proc/device-tree/model"), "utf8").catch(() => "");
    return { kind: model.startsWith("Raspberry Pi") ? "program" : "none" };
  }

  async #ask(): Promise<Throttling | null> {
    const { clock, program } = this.#options;
    const nowMs = clock.monotonicMs();
    if (this.#last && nowMs - this.#last.atMs < programEveryMs) return this.#last.value;
    const value = await runChild({ argv: program, timeoutMs: programLimitMs, maxOutputBytes: 65_536 }).then(
      ({ exitCode, stdout }) => (exitCode === 0 ? parseThrottling(new TextDecoder().decode(stdout)) : null),
      () => null,
    );
    this.#last = { atMs: nowMs, value };
    return value;
  }
}

/** `throttled=0x50005` of vcgencmd, or `50005` of the kernel's file. Null for anything else. */
export function parseThrottling(text: string): Throttling | null {
  const hex = /^(?:throttled=0x)?([0-9a-f]{1,8})\s*$/i.exec(text)?.[1];
  if (hex === undefined) return null;
  const bits = Number.parseInt(hex, 16);
  return { now: flagsAt(bits, 0), since_boot: flagsAt(bits, 16) };
}

/** https://www.raspberrypi.com/documentation/computers/os.html#get_throttled */
function flagsAt(bits: number, shift: number): ThrottlingFlags {
  const has = (bit: number) => (bits & (1 << (bit + shift))) !== 0;
  return {
    under_voltage: has(0),
    frequency_capped: has(1),
    throttled: has(2),
    soft_temperature_limit: has(3),
  };
}

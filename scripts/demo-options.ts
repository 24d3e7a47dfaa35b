import { resolve } from "node:path";
import { parseArgs } from "node:util";

export const usage = `Usage: scripts/demo [--cameras N] [--segment-seconds N] [--port N] [--data DIR]

Starts a hub and an edge on this machine, with cameras that show a test picture, and prints where to look. Ctrl-C
closes what is being recorded and ends everything.

  --cameras N          1 to 16, default 2
  --segment-seconds N  length of one file, a divisor of 3600, default 10
  --port N             of the web pages and the API, default 8080; 0 takes any free one
  --data DIR           catalog, archive, spool and logs; kept, and gone on with when given again
                       (default: a new folder under the system's temporary one, kept too)
`;

export interface DemoOptions {
  cameras: number;
  segmentSeconds: number;
  port: number;
  /** Absolute; undefined for a new temporary one. */
  dataDir: string | undefined;
}

/** Throws TypeError with a sentence for the person at the keyboard; `help` where that was asked for. */
export function parseDemoOptions(argv: string[]): DemoOptions | "help" {
  const { values } = parseArgs({
    args: argv,
    options: {
      cameras: { type: "string", default: "2" },
      "segment-seconds": { type: "string", default: "10" },
      port: { type: "string", default: "8080" },
      data: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return "help";
  const segmentSeconds = integerOf("--segment-seconds", values["segment-seconds"], 2, 3600);
  if (3600 % segmentSeconds !== 0) {
    throw new TypeError("--segment-seconds is a divisor of 3600, so that files begin on the clock");
  }
  if (values.data === "") throw new TypeError("--data is a folder");
  return {
    cameras: integerOf("--cameras", values.cameras, 1, 16),
    segmentSeconds,
    port: integerOf("--port", values.port, 0, 65_535),
    dataDir: values.data === undefined ? undefined : resolve(values.data),
  };
}

function integerOf(option: string, text: string, min: number, max: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new TypeError(`${option} is a whole number from ${min} to ${max}, not "${text}"`);
}

import type { Formatter } from "./format.ts";

/** A figure of the health report in the unit that its name ends in. */
export function figureText(format: Formatter, name: string, value: number | string | null): string {
  if (typeof value !== "number") return value ?? "–";
  if (name.endsWith("_bytes")) return format.size(value);
  if (name.endsWith("_seconds")) return format.duration(value * 1000);
  if (name.endsWith("_ms")) return `${format.number(value, value < 10 ? 1 : 0)} ms`;
  return format.number(value, Number.isInteger(value) ? 0 : 2);
}

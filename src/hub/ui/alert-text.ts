import type { Alert } from "../alerts/alert-store.ts";
import { figureText } from "./figure-text.ts";
import type { PageContext } from "./page-context.ts";

export interface AlertText {
  sentence: string;
  /** Set where the sentence is not in the page's language. */
  language: "en" | undefined;
  /** What a program said about it, in its own words. */
  detail: string | undefined;
}

/** The params that the sentence about a code has in it, in their order. */
const figuresOf: ReadonlyMap<string, readonly string[]> = new Map([
  ["camera_slow", ["fps", "fps_asked"]],
  ["horizon_short", ["horizon_seconds"]],
  ["segments_quarantined", ["quarantined_segments"]],
  ["segments_conflicting", ["conflicting_segments"]],
  ["waiting_long", ["waiting_segments"]],
  ["clock_off", ["ahead_of_hub_ms"]],
  ["temperature_high", ["temperature_celsius"]],
]);

/** An alert in the words of the page; one that this hub does not know in its node's own, which are English. */
export function alertText({ t, format }: PageContext, { code, message, params }: Alert): AlertText {
  const sayings: Readonly<Record<string, (...figures: string[]) => string>> = t.alerts.sayings;
  const say = Object.hasOwn(sayings, code) ? sayings[code] : undefined;
  if (!say) return { sentence: message, language: "en", detail: undefined };
  const figures = figuresOf.get(code) ?? [];
  const { error } = params;
  return {
    sentence: say(...figures.map((name) => wordOf(format, name, params[name]))),
    language: undefined,
    detail: typeof error === "string" && error !== "" ? error : undefined,
  };
}

/** A node of another release may leave one out. */
function wordOf(format: PageContext["format"], name: string, value: number | string | undefined): string {
  if (value === undefined) return "–";
  if (typeof value === "number" && name.endsWith("_celsius")) return `${format.number(value)}\u00a0°C`;
  if (typeof value === "number" && name.endsWith("_ms")) return format.duration(Math.abs(value));
  return figureText(format, name, value);
}

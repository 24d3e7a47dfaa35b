import { instantsOf, localTimeOf, pad } from "../../common/time-zone.ts";
import { type DayPlan, type Span, spanOfDay } from "./plan-day.ts";

const offeredMs = 300_000;

/**
 * The range of a day that somebody chose by the clock on the wall. An end that is not after the start is on the next
 * day. In the hour that daylight saving repeats the range is the longest one that the times can mean; times that it
 * skips mean as much later as the clock jumps.
 */
export function planSave(chosen: { day: string; from: string; to: string }, timeZone: string): Span {
  const { day, from, to } = chosen;
  const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  const toDay = secondsOf(to) > secondsOf(from) ? day : next;
  const starts = instantsAt(day, from, timeZone);
  const ends = instantsAt(toDay, to, timeZone);
  return { fromMs: starts[0]!, toMs: ends.at(-1)! };
}

/** The last five minutes of a day that have video, as the form's first suggestion. */
export function offerToSave(plan: DayPlan, timeZone: string): { from: string; to: string } | undefined {
  const last = plan.hours.flatMap(({ spans }) => spans).at(-1);
  if (last === undefined) return undefined;
  const toMs = Math.min(last.toMs, plan.toMs - 1000);
  const fromMs = Math.max(last.fromMs, toMs - offeredMs);
  return { from: timeOfDay(fromMs, timeZone), to: timeOfDay(toMs, timeZone) };
}

function timeOfDay(wallMs: number, timeZone: string): string {
  const { hour, minute, second } = localTimeOf(wallMs, timeZone);
  return `${pad(hour)}:${pad(minute)}:${pad(second)}`;
}

function secondsOf(time: string): number {
  const [hour = 0, minute = 0, second = 0] = time.split(":").map(Number);
  return hour * 3600 + minute * 60 + second;
}

/** At least one. */
function instantsAt(day: string, time: string, timeZone: string): number[] {
  const [year = 1970, month = 1, date = 1] = day.split("-").map(Number);
  const [hour = 0, minute = 0, second = 0] = time.split(":").map(Number);
  const found = instantsOf({ year, month, day: date, hour, minute, second }, timeZone);
  if (found.length > 0) return found;
  return [spanOfDay(day, timeZone).fromMs + secondsOf(time) * 1000];
}

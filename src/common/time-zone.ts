/** Parts of a local time in a zone; month and day from 1. */
export interface LocalTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formatters.set(timeZone, formatter);
  }
  return formatter;
}

export function localTimeOf(wallMs: number, timeZone: string): LocalTime {
  const parts = new Map<string, number>();
  for (const part of formatterOf(timeZone).formatToParts(Math.floor(wallMs)))
    parts.set(part.type, Number(part.value));
  const get = (type: string) => parts.get(type) ?? 0;
  return {
    year: get("year"),
    month: get("month"),
    day: get("day"),
    hour: get("hour"),
    minute: get("minute"),
    second: get("second"),
  };
}

/** Offset of a zone from UTC at an instant, in ms; east is positive. Whole seconds, as zones have them. */
export function zoneOffsetMs(wallMs: number, timeZone: string): number {
  const secondMs = Math.floor(wallMs / 1000) * 1000;
  const local = localTimeOf(secondMs, timeZone);
  return Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second) - secondMs;
}

/**
 * Instants whose local time is `local`: none in the hour that daylight saving skips, two in the hour it repeats
 * (earlier first), else one.
 */
export function instantsOf(local: LocalTime, timeZone: string): number[] {
  const asUtc = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second);
  const dayMs = 86_400_000;
  const offsets = new Set([zoneOffsetMs(asUtc - dayMs, timeZone), zoneOffsetMs(asUtc + dayMs, timeZone)]);
  return [...offsets]
    .map((offset) => ({ offset, instant: asUtc - offset }))
    .filter(({ offset, instant }) => zoneOffsetMs(instant, timeZone) === offset)
    .map(({ instant }) => instant)
    .sort((a, b) => a - b);
}

/** `2025-09-23` of an instant in a zone. */
export function localDateOf(wallMs: number, timeZone: string): string {
  const local = localTimeOf(wallMs, timeZone);
  return `${pad(local.year, 4)}-${pad(local.month)}-${pad(local.day)}`;
}

/** First instant of a local day. Where midnight does not exist, the first instant after it. */
export function startOfLocalDay(
  date: { year: number; month: number; day: number },
  timeZone: string,
): number {
  for (let minute = 0; minute < 24 * 60; minute += 15) {
    const local = { ...date, hour: Math.floor(minute / 60), minute: minute % 60, second: 0 };
    const [instant] = instantsOf(local, timeZone);
    if (instant !== undefined) return instant;
  }
  // A zone that skipped the whole day (Samoa, 2011-12-30): the next day begins where this one would have.
  return (
    Date.UTC(date.year, date.month - 1, date.day) -
    zoneOffsetMs(Date.UTC(date.year, date.month - 1, date.day), timeZone)
  );
}

export function pad(value: number, digits = 2): string {
  return String(value).padStart(digits, "0");
}

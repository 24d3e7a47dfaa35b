import { zoneOffsetMs } from "../../common/time-zone.ts";
import type { Language } from "./language.ts";
import { stringsOf } from "./language.ts";

const minuteMs = 60_000;

/**
 * Times, sizes and numbers as people of a language read them. Every clock time is in the zone given, on a 24-hour
 * clock, as the names of the files are.
 */
export interface Formatter {
  /** `15:30:00` */
  time(ms: number, timeZone: string): string;
  /** `15:30` */
  minute(ms: number, timeZone: string): string;
  /** `Tuesday, September 23, 2025`, of a day given as `2025-09-23`. */
  day(day: string): string;
  /** `Sep 23, 2025, 15:30:00` */
  dateTime(ms: number, timeZone: string): string;
  /** `September 2025`, of a month given as `2025-09`. */
  month(month: string): string;
  /** Two or three letters each, Monday first. */
  weekdays(): string[];
  /** `Asia/Seoul (UTC+9)`, with the offset at an instant. */
  zone(timeZone: string, atMs: number): string;
  /** `12 seconds ago` */
  ago(ms: number, nowMs: number): string;
  /** `10 min 5 sec`, two units at most. */
  duration(ms: number): string;
  /** Powers of 1,000, as disks are sold: `312 MB`. */
  size(bytes: number): string;
  number(value: number, maximumFractionDigits?: number): string;
  /** Of 0 to 1: `97%`. Never 100% unless it is all, never 0% unless it is nothing. */
  share(value: number): string;
}

const formatters = new Map<Language, Formatter>();

export function formatterOf(language: Language): Formatter {
  const known = formatters.get(language);
  if (known) return known;
  const made = createFormatter(language);
  formatters.set(language, made);
  return made;
}

function createFormatter(language: Language): Formatter {
  const inZone = (options: Intl.DateTimeFormatOptions) => {
    const byZone = new Map<string, Intl.DateTimeFormat>();
    return (ms: number, timeZone: string) => {
      let format = byZone.get(timeZone);
      if (!format) {
        format = new Intl.DateTimeFormat(language, { hourCycle: "h23", ...options, timeZone });
        byZone.set(timeZone, format);
      }
      return format.format(ms);
    };
  };
  const time = inZone({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const minute = inZone({ hour: "2-digit", minute: "2-digit" });
  const dateTime = inZone({
    ...{ year: "numeric", month: "short", day: "numeric" },
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit" },
  });
  const day = inZone({ dateStyle: "full" });
  const month = inZone({ year: "numeric", month: "long" });
  const weekday = inZone({ weekday: "short" });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  const unit = (name: string, maximumFractionDigits = 0) => {
    const options: Intl.NumberFormatOptions = {
      style: "unit",
      unit: name,
      unitDisplay: "short",
      maximumFractionDigits,
    };
    return new Intl.NumberFormat(language, options);
  };
  const units = { day: unit("day"), hour: unit("hour"), minute: unit("minute"), second: unit("second") };
  const sizes = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"].map((name) => ({
    whole: unit(name),
    fraction: unit(name, 1),
  }));
  const numbers = [0, 1, 2, 3].map(
    (digits) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }),
  );
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });

  return {
    time,
    minute,
    dateTime,
    day: (text) => day(Date.parse(`${text}T12:00:00Z`), "UTC"),
    month: (text) => month(Date.parse(`${text}-15T12:00:00Z`), "UTC"),
    // 2024-01-01 was a Monday.
    weekdays: () => [1, 2, 3, 4, 5, 6, 7].map((date) => weekday(Date.UTC(2024, 0, date, 12), "UTC")),
    zone(timeZone, atMs) {
      const offset = offsetText(zoneOffsetMs(atMs, timeZone));
      return offset === timeZone ? offset : `${timeZone} (${offset})`;
    },
    ago(ms, nowMs) {
      const seconds = Math.round((nowMs - ms) / 1000);
      if (seconds < 5) return stringsOf[language].justNow;
      if (seconds < 100) return relative.format(-seconds, "second");
      if (seconds < 100 * 60) return relative.format(-Math.round(seconds / 60), "minute");
      if (seconds < 48 * 3600) return relative.format(-Math.round(seconds / 3600), "hour");
      return relative.format(-Math.round(seconds / 86_400), "day");
    },
    duration(ms) {
      const seconds = Math.max(0, Math.round(ms / 1000));
      const parts = [
        ["day", Math.floor(seconds / 86_400)],
        ["hour", Math.floor(seconds / 3600) % 24],
        ["minute", Math.floor(seconds / 60) % 60],
        ["second", seconds % 60],
      ] as const;
      const first = parts.findIndex(([, value]) => value > 0);
      if (first === -1) return units.second.format(0);
      return parts
        .slice(first, first + 2)
        .filter(([, value]) => value > 0)
        .map(([name, value]) => units[name].format(value))
        .join(" ");
    },
    size(bytes) {
      // A step up where the number would be written with four digits.
      const step = bytes < 1000 ? 0 : Math.min(sizes.length - 1, Math.floor(Math.log10(bytes * 1.0005) / 3));
      const value = bytes / 1000 ** step;
      const format = sizes[step];
      return (value < 9.95 && step > 0 ? format?.fraction : format?.whole)?.format(value) ?? String(bytes);
    },
    number: (value, maximumFractionDigits = 0) =>
      (numbers[maximumFractionDigits] ?? numbers[3])?.format(value) ?? String(value),
    share(value) {
      if (value > 0 && value < 0.01) return `<${percent.format(0.01)}`;
      return percent.format(value > 0.99 && value < 1 ? 0.99 : value);
    },
  };
}

function offsetText(offsetMs: number): string {
  if (offsetMs === 0) return "UTC";
  const minutes = Math.abs(Math.round(offsetMs / minuteMs));
  const rest = minutes % 60 === 0 ? "" : `:${String(minutes % 60).padStart(2, "0")}`;
  return `UTC${offsetMs < 0 ? "−" : "+"}${Math.floor(minutes / 60)}${rest}`;
}

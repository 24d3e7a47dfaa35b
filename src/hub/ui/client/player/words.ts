/** No answer, which may come again; an answer that says no; what this browser cannot play. */
export type Failure = "network" | "refused" | "media";

/** The words of the page's language, as it hands them to its script; `{0}` stands for what is only known here. */
export interface Words {
  play: string;
  pause: string;
  skipped: string;
  skippedUnknown: string;
  causes: Record<string, string>;
  recorded: string;
  notRecorded: string;
  notYet: string;
  onEdge: string;
  uploading: string;
  waitsForMore: string;
  waitsForCamera: string;
  noFootage: string;
  failed: Record<Failure, string>;
  source: string;
  nothingMarked: string;
}

export function fill(text: string, ...values: string[]): string {
  return values.reduce((filled, value, i) => filled.replaceAll(`{${i}}`, value), text);
}

export interface TimeFormats {
  /** `15:30:12` */
  time(ms: number): string;
  /** `Sep 23, 15:30:12` */
  dateTime(ms: number): string;
  /** `12 min 5 sec` */
  duration(ms: number): string;
  share(value: number): string;
}

export function createTimeFormats(language: string, timeZone: string): TimeFormats {
  const clock = {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone,
  } as const;
  const time = new Intl.DateTimeFormat(language, clock);
  const dateTime = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", ...clock });
  const unit = (name: string) =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" });
  const units = { hour: unit("hour"), minute: unit("minute"), second: unit("second") };
  const percent = new Intl.NumberFormat(language, { style: "percent" });
  return {
    time: (ms) => time.format(ms),
    dateTime: (ms) => dateTime.format(ms),
    duration(ms) {
      const seconds = Math.max(1, Math.round(ms / 1000));
      const parts = [
        ["hour", Math.floor(seconds / 3600)],
        ["minute", Math.floor(seconds / 60) % 60],
        ["second", seconds % 60],
      ] as const;
      return parts
        .filter(([, value]) => value > 0)
        .slice(0, 2)
        .map(([name, value]) => units[name].format(value))
        .join(" ");
    },
    share: (value) => percent.format(value),
  };
}

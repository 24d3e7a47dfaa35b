/** A month of a calendar whose weeks start on Monday; undefined fills the days before the first. */
export interface CalendarMonth {
  /** `2025-09` */
  month: string;
  cells: readonly ({ day: string; dayOfMonth: number; hasVideo: boolean } | undefined)[];
  /** The newest day with video in an earlier month, and the oldest one in a later month. */
  earlier: string | undefined;
  later: string | undefined;
}

/** `days` have video, newest first, as `2025-09-23`: texts that sort as they follow in time. */
export function planCalendar(day: string, days: readonly string[]): CalendarMonth {
  const month = day.slice(0, 7);
  const [year = 1970, monthOfYear = 1] = month.split("-").map(Number);
  const first = new Date(Date.UTC(year, monthOfYear - 1, 1));
  const length = new Date(Date.UTC(year, monthOfYear, 0)).getUTCDate();
  const withVideo = new Set(days);
  const cells = Array.from({ length }, (_, index) => {
    const text = `${month}-${String(index + 1).padStart(2, "0")}`;
    return { day: text, dayOfMonth: index + 1, hasVideo: withVideo.has(text) };
  });
  return {
    month,
    cells: [...Array<undefined>((first.getUTCDay() + 6) % 7).fill(undefined), ...cells],
    earlier: days.find((text) => text.slice(0, 7) < month),
    later: days.findLast((text) => text.slice(0, 7) > month),
  };
}

/** The days with video next to a day, which need not have any itself. */
export function neighbourDays(day: string, days: readonly string[]) {
  return {
    previous: days.find((text) => text < day),
    next: days.findLast((text) => text > day),
  };
}

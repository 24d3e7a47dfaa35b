import fc from "fast-check";
import { localTimeOf } from "../../src/common/time-zone.ts";
import { type Video, type VideoQuery, videoStatuses } from "../../src/hub/db/catalog.ts";

/** The page a query asks for, by looking at every video. */
export function expectedPage(all: readonly Video[], query: VideoQuery): Video[] {
  const sign = query.order === "newest_first" ? -1 : 1;
  const compare = (a: { startTimeMs: number; videoId: string }, b: typeof a) =>
    sign * (a.startTimeMs - b.startTimeMs || (a.videoId < b.videoId ? -1 : a.videoId > b.videoId ? 1 : 0));
  return all
    .filter((video) => matches(video, query))
    .toSorted(compare)
    .filter((video) => query.after === undefined || compare(query.after, video) < 0)
    .slice(0, query.limit);
}

function matches(video: Video, query: VideoQuery): boolean {
  const { weekday, minute } = localStartOf(video);
  const name = video.filePath.split("/").at(-1) ?? "";
  const text = query.text?.toLowerCase();
  const within = (value: number, min: number | undefined, max: number | undefined) =>
    (min === undefined || value >= min) && (max === undefined || value <= max);
  const inTimeOfDay = ({ fromMinute, toMinute }: { fromMinute: number; toMinute: number }) =>
    fromMinute <= toMinute
      ? minute >= fromMinute && minute < toMinute
      : minute >= fromMinute || minute < toMinute;
  return (
    (query.cameraIds?.includes(video.cameraId) ?? true) &&
    (query.fromMs === undefined || video.endTimeMs > query.fromMs) &&
    (query.toMs === undefined || video.startTimeMs < query.toMs) &&
    (query.nodeIds?.includes(video.nodeId) ?? true) &&
    (query.statuses?.includes(video.status) ?? true) &&
    within(video.durationMs, query.minDurationMs, query.maxDurationMs) &&
    within(video.fileSizeBytes, query.minSizeBytes, query.maxSizeBytes) &&
    (query.weekdays?.includes(weekday) ?? true) &&
    (query.timeOfDay === undefined || inTimeOfDay(query.timeOfDay)) &&
    (text === undefined || name.toLowerCase().includes(text) || video.notes.toLowerCase().includes(text))
  );
}

const localStarts = new Map<string, { weekday: number; minute: number }>();

function localStartOf(video: Video): { weekday: number; minute: number } {
  let start = localStarts.get(video.videoId);
  if (!start) {
    const local = localTimeOf(video.startTimeMs, video.timeZone);
    const weekday = new Date(Date.UTC(local.year, local.month - 1, local.day)).getUTCDay() || 7;
    start = { weekday, minute: local.hour * 60 + local.minute };
    localStarts.set(video.videoId, start);
  }
  return start;
}

/** Queries whose values are near those of `all`, so that most find some and not all of them. */
export function queries(all: readonly Video[]): fc.Arbitrary<VideoQuery> {
  const some = fc.constantFrom(...all);
  const instant = fc
    .tuple(
      some,
      fc.constantFrom("startTimeMs", "endTimeMs"),
      fc.constantFrom(-86_400_000, -1, 0, 1, 3_600_000),
    )
    .map(([video, field, shift]) => video[field as "startTimeMs" | "endTimeMs"] + shift);
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 2 });
  const minute = fc.integer({ min: 0, max: 1440 });
  return fc
    .record({
      cameraIds: optional(fc.uniqueArray(fc.constantFrom("cam01", "cam02", "x", "none"), { minLength: 1 })),
      fromMs: optional(instant),
      toMs: optional(instant),
      nodeIds: rarely(fc.constantFrom(["node00"], ["node01", "node00"], ["none"])),
      statuses: rarely(fc.subarray([...videoStatuses], { minLength: 1 })),
      minDurationMs: rarely(fc.constantFrom(0, 60_000, 60_001)),
      maxDurationMs: rarely(fc.constantFrom(60_000, 3_600_000)),
      minSizeBytes: rarely(fc.integer({ min: 0, max: 1000 })),
      maxSizeBytes: rarely(fc.integer({ min: 0, max: 1000 })),
      weekdays: rarely(fc.subarray([1, 2, 3, 4, 5, 6, 7], { minLength: 1 })),
      timeOfDay: rarely(fc.record({ fromMinute: minute, toMinute: minute })),
      text: rarely(fc.constantFrom("cam0", "_2025", "NOTE 1", "50% c", "mp4", "1234", "/")),
      order: fc.constantFrom("newest_first" as const, "oldest_first" as const),
      after: optional(
        fc
          .tuple(some, fc.constantFrom(0, 1))
          .map(([video, ms]) => ({ startTimeMs: video.startTimeMs + ms, videoId: video.videoId })),
      ),
      limit: fc.integer({ min: 1, max: 200 }),
    })
    .map(withoutUndefined);
}

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

function withoutUndefined(record: object): VideoQuery {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as VideoQuery;
}

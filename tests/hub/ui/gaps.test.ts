import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { GapCause } from "../../../src/common/protocol/gap.ts";
import { maxGapsListed } from "../../../src/hub/ui/gap-list.tsx";
import { planDay, spanOfDay } from "../../../src/hub/ui/plan-day.ts";
import { kindOfCause, planGaps, type ToldGap } from "../../../src/hub/ui/plan-gaps.ts";
import { usualData, videoAt } from "./page-data.ts";
import { createPageApp, type PageData } from "./page-server.ts";

const day = spanOfDay("2025-09-22", "Asia/Seoul");
const minute = 60_000;
const gap = (from: number, to: number, cause: GapCause = "camera_failed", detail = ""): ToldGap => ({
  ...{ fromMs: day.fromMs + from * minute, toMs: day.fromMs + to * minute },
  ...{ cause, detail },
});
const dayPlan = (videos: ReturnType<typeof videoAt>[] = []) => planDay({ day, videos, nowMs: day.toMs });
const hostile = `"><img src=x onerror=alert(1)><script>alert(1)</script>`;

describe("what is missing", () => {
  test("is told by cause, parts of one gap as one, the day's share of it", () => {
    const { gaps, causes, missingMs } = planGaps(dayPlan(), [
      gap(-10, 5, "node_down", "first"),
      gap(60, 60.5, "camera_failed", "part one"),
      gap(60.5, 61, "camera_failed", "part two"),
      gap(61.001, 62, "camera_failed", "part three"),
      gap(62, 70, "paused"),
      gap(100, 101),
      gap(1439, 1500, "node_stopped"),
    ]);
    expect(
      gaps.map(({ fromMs, toMs, cause }) => [
        (fromMs - day.fromMs) / minute,
        (toMs - day.fromMs) / minute,
        cause,
      ]),
    ).toEqual([
      [0, 5, "node_down"],
      [60, 62, "camera_failed"],
      [62, 70, "paused"],
      [100, 101, "camera_failed"],
      [1439, 1440, "node_stopped"],
    ]);
    expect(causes).toEqual([
      { cause: "paused", count: 1, totalMs: 8 * minute },
      { cause: "node_down", count: 1, totalMs: 5 * minute },
      { cause: "camera_failed", count: 2, totalMs: 3 * minute },
      { cause: "node_stopped", count: 1, totalMs: minute },
    ]);
    expect(missingMs).toBe(17 * minute);
  });

  test("is nothing where footage came after all, and is missing still where it is a picture that says so", () => {
    const footage = videoAt(day.fromMs + 10 * minute);
    expect(planGaps(dayPlan([footage]), [gap(5, 30)]).missingMs).toBe(15 * minute);
    const mock = { ...footage, isMock: true as const };
    expect(planGaps(dayPlan([mock]), [gap(5, 30)]).missingMs).toBe(25 * minute);
    expect(dayPlan([mock]).hours[0]?.mockSpans).toEqual([
      { fromMs: day.fromMs + 10 * minute, toMs: day.fromMs + 20 * minute },
    ]);
  });

  test("is what is not whole in the archive any more, too", () => {
    for (const status of ["damaged", "missing"] as const) {
      const plan = dayPlan([{ ...videoAt(day.fromMs + 10 * minute), status }]);
      expect([plan.recordedMs, planGaps(plan, [gap(15, 30)]).missingMs]).toEqual([0, 20 * minute]);
    }
  });

  test("and what is recorded never are more than the day, whatever lies over each other", () => {
    const some = fc.tuple(fc.integer({ min: -60, max: 1500 }), fc.integer({ min: 1, max: 300 }));
    fc.assert(
      fc.property(
        fc.array(some, { maxLength: 12 }),
        fc.array(fc.tuple(some, fc.constantFrom(...GapCause.options)), { maxLength: 12 }),
        (recorded, told) => {
          const videos = recorded
            .map(([start, minutes]) => videoAt(day.fromMs + start * minute, { durationMs: minutes * minute }))
            .sort((a, b) => a.startTimeMs - b.startTimeMs);
          const plan = dayPlan(videos);
          const gaps = told.map(([[start, minutes], cause]) => gap(start, start + minutes, cause));
          const { missingMs, barsOfHour } = planGaps(
            plan,
            gaps.sort((a, b) => a.fromMs - b.fromMs),
          );
          /** Minute by minute, by hand. */
          let expected = 0;
          for (let at = day.fromMs; at < day.toMs; at += minute) {
            const isIn = ({ fromMs, toMs }: { fromMs: number; toMs: number }) => fromMs <= at && at < toMs;
            const hasVideo = videos.some((video) =>
              isIn({ fromMs: video.startTimeMs, toMs: video.endTimeMs }),
            );
            if (!hasVideo && gaps.some(isIn)) expected += minute;
          }
          expect(missingMs).toBe(expected);
          expect(plan.recordedMs + missingMs).toBeLessThanOrEqual(day.toMs - day.fromMs);
          for (const bars of barsOfHour) expect(bars.length).toBeLessThanOrEqual(60);
        },
      ),
    );
  });

  test("is drawn where it is, wide enough to be seen, the gravest on top", () => {
    const { barsOfHour } = planGaps(dayPlan(), [
      gap(10, 10.01),
      gap(59.5, 61, "paused"),
      gap(60, 60.1, "disk_full"),
    ]);
    const at = (from: number, to: number) => ({
      fromMs: day.fromMs + from * minute,
      toMs: day.fromMs + to * minute,
    });
    expect(barsOfHour[0]).toEqual([
      { kind: "lost", ...at(10, 11) },
      { kind: "meant", ...at(59, 60) },
    ]);
    expect(barsOfHour[1]).toEqual([{ kind: "lost", ...at(60, 61) }]);
    expect(barsOfHour.slice(2).flat()).toEqual([]);
  });

  test("has a kind for every cause", () => {
    expect(Object.keys(kindOfCause).sort()).toEqual([...GapCause.options].sort());
  });
});

describe("the page of a day", () => {
  const path = "/cameras/cam01?date=2025-09-22";
  const htmlOf = async (gaps: ToldGap[], more: Partial<PageData> = {}, language = "en") => {
    const data = { ...usualData(), ...more, gaps: gaps.map((one) => ({ ...one, cameraId: "cam01" })) };
    const response = await createPageApp(data).get(path, { "accept-language": language });
    expect(response.status).toBe(200);
    return response.text();
  };

  test("tells from when to when, why, and how much of what should be there is", async () => {
    const html = await htmlOf([gap(400, 430, "camera_failed", "ffmpeg ended"), gap(430, 470, "paused")]);
    const text = html.replace(/<[^>]+>/g, " ").replace(/\s+/g, " ");
    for (const said of [
      "1 hr 10 min missing: 95% of the expected time is recorded",
      "06:40:00 – 07:10:00 No picture from the camera, 30 min ffmpeg ended",
      "07:10:00 – 07:50:00 Paused, 40 min",
    ])
      expect(text).toContain(said);
    expect(html).toMatch(/<rect x="2400" width="1200" y="0" height="10" class="lost"/);
    const told = [
      gap(400, 430, "camera_failed", "no picture since the start"),
      gap(430, 470, "paused", "paused by request"),
    ];
    const korean = await htmlOf(told, {}, "ko");
    for (const said of ["일시 정지, 40분", "시작한 뒤로 영상이 들어오지 않음"])
      expect(korean).toContain(said);
    expect(korean).not.toMatch(/no picture since|paused by request/);
  });

  test("without a video explains itself", async () => {
    const html = await htmlOf([gap(0, 1440, "node_down", "no power")], { videos: [] });
    for (const said of ["This camera has no videos yet", "Node not running", "no power", 'class="down"'])
      expect(html).toContain(said);
  });

  test("says where a picture stood for footage", async () => {
    const videos = [videoAt(day.fromMs, { isMock: true })];
    expect(await htmlOf([], { videos })).toContain("it is no footage");
    expect(await htmlOf([])).not.toContain("it is no footage");
  });

  test("of ten thousand gaps is a page as any other", async () => {
    const many = Array.from({ length: 10_500 }, (_, i) =>
      gap(i * 0.137, i * 0.137 + 0.02 + (i % 7) / 100, i % 2 === 0 ? "camera_failed" : "paused", `gap ${i}`),
    );
    const plain = (await htmlOf([])).length;
    const html = await htmlOf(many);
    expect(html.length - plain).toBeLessThan(250_000);
    expect(html.match(/class="gap-time"/g)).toHaveLength(maxGapsListed);
    expect(html).toContain("Only the first 10,000 gaps of this day");
    expect(html).toContain("The longest 100 of 10,000 are listed.");
  });

  test("shows what nodes say as text", async () => {
    const html = await htmlOf([gap(400, 430, "unknown", hostile)]);
    expect(html).toContain("&lt;script&gt;");
    expect(html).not.toMatch(/<img src=x|<script>alert/);
  });
});

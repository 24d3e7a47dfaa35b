import { expect, test } from "bun:test";
import { systemClock } from "../../../src/common/clock.ts";
import type { ConnectionCheck } from "../../../src/edge/uploader/archive-destination.ts";
import { cronSchedule, untilArchiveIsBack } from "../../../src/edge/uploader/archive-watch.ts";

const there: ConnectionCheck = { ok: true, archiveId: "right", freeBytes: undefined };
const other: ConnectionCheck = { ok: true, archiveId: "wrong", freeBytes: undefined };
const gone: ConnectionCheck = { ok: false, reason: "not mounted" };

/** Answers the checks in turn; after the last answer it is over. */
async function watch(answers: ConnectionCheck[], away: boolean) {
  const controller = new AbortController();
  let checks = 0;
  const isBack = await untilArchiveIsBack(
    {
      check: async () => {
        const answer = answers[checks++]!;
        if (checks === answers.length && answer !== there) controller.abort();
        if (checks === answers.length + 1) controller.abort();
        return answer ?? gone;
      },
      expectedArchiveId: () => "right",
      schedule: (wallMs) => wallMs + 1,
      clock: systemClock,
      away,
    },
    controller.signal,
  );
  return { isBack, checks };
}

test("looks until the archive is back", async () => {
  expect(await watch([gone, gone, there], true)).toEqual({ isBack: true, checks: 3 });
  expect(await watch([gone, there], false)).toEqual({ isBack: true, checks: 2 });
});

test("another archive in its place is not back", async () => {
  expect(await watch([other, other, gone], true)).toEqual({ isBack: false, checks: 3 });
  expect(await watch([other, there], false)).toEqual({ isBack: true, checks: 2 });
});

test("one that was never away, as when it is full, does not come back", async () => {
  expect(await watch([there, there, there], false)).toEqual({ isBack: false, checks: 4 });
});

test("goes by the pattern and the zone", () => {
  const next = (pattern: string, zone: string, from: string) =>
    new Date(cronSchedule(pattern, zone)(Date.parse(from))!).toISOString();
  expect(next("* * * * *", "UTC", "2026-06-10T10:00:30Z")).toBe("2026-06-10T10:01:00.000Z");
  expect(next("*/10 * * * * *", "UTC", "2026-06-10T10:00:31Z")).toBe("2026-06-10T10:00:40.000Z");
  expect(next("0 6 * * *", "Asia/Seoul", "2026-06-10T10:00:00Z")).toBe("2026-06-10T21:00:00.000Z");
});

test("a clock that is set back does not put the next look off", async () => {
  let offsetMs = 0;
  let checks = 0;
  const clock = { ...systemClock, wallMs: () => Date.now() + offsetMs };
  const back = untilArchiveIsBack(
    {
      check: async () => {
        checks++;
        offsetMs -= 86_400_000;
        return checks === 3 ? there : gone;
      },
      expectedArchiveId: () => undefined,
      schedule: (wallMs) => wallMs + 1,
      clock,
      away: true,
    },
    new AbortController().signal,
  );
  expect(await back).toBe(true);
});

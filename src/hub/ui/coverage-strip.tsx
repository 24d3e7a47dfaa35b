/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { PageContext } from "./page-context.ts";
import type { DayPlan, HourPlan, Span } from "./plan-day.ts";
import type { GapPlan } from "./plan-gaps.ts";

/** A bar of less than two pixels is lost where an hour is twenty pixels wide. */
const visibleSeconds = 120;

interface CoverageStripProps {
  page: PageContext;
  plan: DayPlan;
  gaps: GapPlan;
  timeZone: string;
  /** Index of the one hour that is shown below, if only one is. */
  shown: number | undefined;
  hrefOf(hour: HourPlan): string;
}

/**
 * A day as a row of hours (two rows on a phone), each filled where something is recorded, coloured where something is
 * missing for a known cause, and leading to its videos.
 */
export const CoverageStrip: FC<CoverageStripProps> = ({ page, plan, gaps, timeZone, shown, hrefOf }) => {
  const { t, format } = page;
  return (
    <ol class="strip" aria-label={t.day.coverage}>
      {plan.hours.map((hour) => {
        const time = format.minute(hour.fromMs, timeZone);
        const isFuture = !plan.isOver && hour.fromMs >= plan.fromMs + plan.elapsedMs;
        const bar = (
          <>
            <svg viewBox="0 0 3600 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
              {hour.spans.map((span) => (
                <rect {...barOf(hour, span)} y="0" height="10" />
              ))}
              {gaps.barsOfHour[hour.index]?.map((bar) => (
                <rect {...barOf(hour, bar)} y="0" height="10" class={bar.kind} />
              ))}
              {hour.mockSpans.map((span) => (
                <rect {...barOf(hour, span)} y="7" height="3" class="mock" />
              ))}
            </svg>
            <span aria-hidden="true">{time.slice(0, 2)}</span>
          </>
        );
        if (hour.videos.length === 0) {
          return (
            <li class={isFuture ? "future" : "hole"} title={t.day.hourEmpty(time)}>
              {bar}
            </li>
          );
        }
        const label = t.day.hourLabel(
          time,
          format.number(hour.recordedMs / 60_000, hour.recordedMs < 600_000 ? 1 : 0),
        );
        return (
          <li>
            <a
              href={hrefOf(hour)}
              aria-label={label}
              title={label}
              aria-current={hour.index === shown ? "true" : undefined}
            >
              {bar}
            </a>
          </li>
        );
      })}
    </ol>
  );
};

/** Seconds from the start of the hour; at least as wide as can be seen. */
function barOf(hour: HourPlan, { fromMs, toMs }: Span): { x: number; width: number } {
  const width = Math.max(visibleSeconds, (toMs - fromMs) / 1000);
  return { x: Math.max(0, Math.min((fromMs - hour.fromMs) / 1000, 3600 - width)), width };
}

/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { Icon } from "./icon.tsx";
import type { PageContext } from "./page-context.ts";
import { planCalendar } from "./plan-calendar.ts";

interface CalendarProps {
  page: PageContext;
  /** `2025-09-23` */
  day: string;
  days: readonly string[];
  hrefOf(day: string): string;
}

/** The day shown; opened, its month with the days that have video. Opens without script. */
export const Calendar: FC<CalendarProps> = ({ page, day, days, hrefOf }) => {
  const { t, format } = page;
  const { month, cells, earlier, later } = planCalendar(day, days);
  return (
    <details class="calendar">
      <summary class="button">
        <Icon name="calendar" />
        <span>
          <span class="unseen">{t.day.calendar}: </span>
          {format.day(day)}
        </span>
      </summary>
      <div class="card calendar-sheet">
        <div class="row">
          {earlier ? <a href={hrefOf(earlier)}>{t.day.previousMonth}</a> : <span />}
          <strong>{format.month(month)}</strong>
          {later ? <a href={hrefOf(later)}>{t.day.nextMonth}</a> : <span />}
        </div>
        <ol class="weekdays" aria-hidden="true">
          {format.weekdays().map((name) => (
            <li>{name}</li>
          ))}
        </ol>
        <ol class="month" aria-label={t.day.calendar}>
          {cells.map((cell) =>
            cell === undefined ? (
              <li aria-hidden="true" />
            ) : cell.hasVideo ? (
              <li>
                <a href={hrefOf(cell.day)} aria-current={cell.day === day ? "date" : undefined}>
                  <span aria-hidden="true">{cell.dayOfMonth}</span>
                  <span class="unseen">{format.day(cell.day)}</span>
                </a>
              </li>
            ) : (
              <li class={cell.day === day ? "selected" : undefined}>{cell.dayOfMonth}</li>
            ),
          )}
        </ol>
      </div>
    </details>
  );
};

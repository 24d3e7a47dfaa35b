/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import type { PageContext } from "./page-context.ts";
import { type GapPlan, kindOfCause, type ToldGap } from "./plan-gaps.ts";
import { TimeOfDay } from "./time.tsx";

/** More than these are not listed one by one; the longest are. */
export const maxGapsListed = 100;

interface GapListProps {
  page: PageContext;
  plan: GapPlan;
  timeZone: string;
  /** Set when not all gaps of the day could be read. */
  cutAt: number | undefined;
}

/** What is missing, by cause, which is the legend of the strip too; then one by one. */
export const GapList: FC<GapListProps> = ({ page, plan, timeZone, cutAt }) => {
  const { t, format } = page;
  if (plan.gaps.length === 0) return null;
  const listed = longest(plan.gaps);
  return (
    <details class="gaps" open={plan.gaps.length <= 12}>
      <summary>
        <span class="gaps-title">{t.gap.title}</span>
        <ul class="causes">
          {plan.causes.map(({ cause, count, totalMs }) => (
            <li>
              <span class={`swatch ${kindOfCause[cause]}`} />
              {t.gap.causes[cause]}
              <span class="muted">
                {" "}
                {format.duration(totalMs)}
                {count > 1 && `, ${t.gap.times(format.number(count))}`}
              </span>
            </li>
          ))}
        </ul>
      </summary>
      <ol class="gap-list">
        {listed.map((gap) => (
          <li>
            <span class="gap-time">
              <TimeOfDay page={page} ms={gap.fromMs} timeZone={timeZone} />–
              <TimeOfDay page={page} ms={gap.toMs} timeZone={timeZone} />
            </span>
            <span>
              <span class={`swatch ${kindOfCause[gap.cause]}`} />
              {t.gap.causes[gap.cause]}, {format.duration(Math.max(1000, gap.toMs - gap.fromMs))}
              <Detail page={page} text={gap.detail} />
            </span>
          </li>
        ))}
      </ol>
      {listed.length < plan.gaps.length && (
        <p class="muted small">
          {t.gap.longestOf(format.number(listed.length), format.number(plan.gaps.length))}
        </p>
      )}
      {cutAt !== undefined && <p class="hint">{t.gap.truncated(format.number(cutAt))}</p>}
    </details>
  );
};

/** What a node says where the cause says it already. */
const repeated = ["the edge was stopped", "paused by request"];

/** What its node says of it, in the language of the page where the words are known. */
const Detail: FC<{ page: PageContext; text: string }> = ({ page, text }) => {
  const { details } = page.t.gap;
  const known = Object.hasOwn(details, text) ? details[text] : undefined;
  if (text === "" || repeated.includes(text)) return null;
  return (
    <span class="muted small detail" lang={known === undefined ? "en" : undefined}>
      {known ?? text}
    </span>
  );
};

/** In their order. */
function longest(gaps: readonly ToldGap[]): readonly ToldGap[] {
  if (gaps.length <= maxGapsListed) return gaps;
  const kept = gaps.toSorted((a, b) => b.toMs - b.fromMs - (a.toMs - a.fromMs)).slice(0, maxGapsListed);
  return kept.sort((a, b) => a.fromMs - b.fromMs);
}

/** @jsxImportSource hono/jsx */
import type { FC } from "hono/jsx";
import { formatWireTime } from "../../common/protocol/wire.ts";
import type { PageContext } from "./page-context.ts";

/** How long ago something was; the exact time is in the markup. */
export const Ago: FC<{ page: PageContext; ms: number }> = ({ page, ms }) => (
  <time datetime={formatWireTime(ms)}>{page.format.ago(ms, page.nowMs)}</time>
);

/** Date and time of day in a zone. */
export const DateTime: FC<{ page: PageContext; ms: number; timeZone: string }> = ({ page, ms, timeZone }) => (
  <time datetime={formatWireTime(ms)}>{page.format.dateTime(ms, timeZone)}</time>
);

/** Time of day in a zone, to the second. */
export const TimeOfDay: FC<{ page: PageContext; ms: number; timeZone: string }> = ({
  page,
  ms,
  timeZone,
}) => <time datetime={formatWireTime(ms)}>{page.format.time(ms, timeZone)}</time>;

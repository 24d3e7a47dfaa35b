/** @jsxImportSource hono/jsx */
import type { Clock } from "../../common/clock.ts";
import type { RenderErrorPage } from "../http/error-page.ts";
import type { Assets } from "./assets.ts";
import { ErrorPage } from "./error.page.tsx";
import { pageContextOf } from "./page-context.ts";
import { renderPage } from "./render-page.ts";

export function createErrorRenderer({ clock, assets }: { clock: Clock; assets: Assets }): RenderErrorPage {
  return (c, problem) => {
    const page = pageContextOf(c, { nowMs: clock.wallMs(), assets });
    return renderPage(<ErrorPage page={page} problem={problem} requestId={c.var.requestId} />);
  };
}

/** @jsxImportSource hono/jsx */
import type { Clock } from "../../common/clock.ts";
import type { RenderLoginPage } from "../auth/login-page.ts";
import type { Assets } from "./assets.ts";
import { languages } from "./language.ts";
import { LoginPage } from "./login.page.tsx";
import { pageContextOf } from "./page-context.ts";
import { renderPage } from "./render-page.ts";

/**
 * The login page for the routes of the authentication. A language chosen here is kept by the page that is gone to
 * after the login, since nothing is stored before.
 */
export function createLoginRenderer({ clock, assets }: { clock: Clock; assets: Assets }): RenderLoginPage {
  return (c, model) => {
    const chosen = languages.find((language) => language === c.req.query("lang"));
    const page = pageContextOf(c, { nowMs: clock.wallMs(), assets }, chosen);
    const plain = { ...model, next: unwrapped(model.next) };
    if (chosen === undefined)
      return renderPage(<LoginPage page={page} model={plain} goTo={plain.next} action="/login" />);
    const goTo = `/language?to=${chosen}&next=${encodeURIComponent(plain.next)}`;
    return renderPage(<LoginPage page={page} model={plain} goTo={goTo} action={`/login?lang=${chosen}`} />);
  };
}

/** Where a form that came back was to lead to, before a language was chosen. */
function unwrapped(next: string): string {
  if (!next.startsWith("/language?")) return next;
  return new URLSearchParams(next.slice("/language?".length)).get("next") ?? "/";
}

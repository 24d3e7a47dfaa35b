import type { Context } from "hono";
import type { AppEnv, Principal } from "../http/app-env.ts";
import type { Assets } from "./assets.ts";
import { type Formatter, formatterOf } from "./format.ts";
import { type Language, languageOf, stringsOf } from "./language.ts";
import type { Strings } from "./strings-en.ts";

/** What every page knows of the request it answers. */
export interface PageContext {
  language: Language;
  /** The words of that language. */
  t: Strings;
  format: Formatter;
  nowMs: number;
  /** Path and query of the page, to come back to. */
  here: string;
  person: Extract<Principal, { kind: "person" }> | undefined;
  assets: Assets;
}

export function pageContextOf(
  c: Context<AppEnv>,
  { nowMs, assets }: { nowMs: number; assets: Assets },
  language: Language = languageOf(c),
): PageContext {
  // A request that was refused early has no principal yet.
  const principal = c.var.principal as Principal | undefined;
  const { pathname, search } = new URL(c.req.url);
  return {
    language,
    t: stringsOf[language],
    format: formatterOf(language),
    nowMs,
    here: pathname + search,
    person: principal?.kind === "person" ? principal : undefined,
    assets,
  };
}

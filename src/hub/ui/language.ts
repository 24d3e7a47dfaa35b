import type { Context } from "hono";
import { english, type Strings } from "./strings-en.ts";
import { korean } from "./strings-ko.ts";

export const languages = ["en", "ko"] as const;
export type Language = (typeof languages)[number];

export const stringsOf: Readonly<Record<Language, Strings>> = { en: english, ko: korean };

const cookieName = "livecam_language";

/** What was chosen on the page if anything was, else what the browser prefers, else English. */
export function languageOf(c: Context): Language {
  const chosen = new RegExp(`(?:^|;\\s*)${cookieName}=([a-z]{2})(?:;|$)`).exec(
    c.req.header("cookie") ?? "",
  )?.[1];
  return (
    languages.find((language) => language === chosen) ?? preferredLanguage(c.req.header("accept-language"))
  );
}

/** RFC 9110 section 12.5.4: the language with the highest weight; the earlier of two with the same. */
export function preferredLanguage(acceptLanguage = ""): Language {
  let best: { language: Language; weight: number } | undefined;
  for (const part of acceptLanguage.slice(0, 1000).split(",")) {
    const match = /^\s*([a-z]{2,3})(?:-[a-z0-9-]+)?\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i.exec(
      part,
    );
    const language = languages.find((known) => known === match?.[1]?.toLowerCase());
    const weight = Number(match?.[2] ?? 1);
    if (language && weight > (best?.weight ?? 0)) best = { language, weight };
  }
  return best?.language ?? "en";
}

/** Keeps a choice for a year. It says nothing about the person and changes nothing but words. */
export function languageCookie(language: Language): string {
  return `${cookieName}=${language}; Path=/; SameSite=Lax; HttpOnly; Max-Age=31536000`;
}

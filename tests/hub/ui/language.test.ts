import { expect, test } from "bun:test";
import { preferredLanguage, stringsOf } from "../../../src/hub/ui/language.ts";

test("the language with the highest weight, the earlier of two alike, else English", () => {
  const table: [string | undefined, "en" | "ko"][] = [
    [undefined, "en"],
    ["", "en"],
    ["ko", "ko"],
    ["ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"],
    ["en-US,en;q=0.9,ko;q=0.8", "en"],
    ["de-DE,de;q=0.9,ko;q=0.3", "ko"],
    ["fr", "en"],
    ["*", "en"],
    ["KO-kr", "ko"],
    ["en;q=0, ko;q=0.001", "ko"],
    ["ko;q=0", "en"],
    ["ko;q=2", "en"],
    ["kok, ko_KR", "en"],
    [`${"x,".repeat(5000)}ko`, "en"],
  ];
  for (const [header, expected] of table)
    expect([header, preferredLanguage(header)]).toEqual([header, expected]);
});

test("no language leaves anything unsaid", () => {
  const texts = (value: unknown): string[] => {
    if (typeof value === "string") return [value];
    if (typeof value === "function") return [String(value("one", "two"))];
    return Object.values(value as object).flatMap(texts);
  };
  const [english, korean] = [texts(stringsOf.en), texts(stringsOf.ko)];
  expect(korean.length).toBe(english.length);
  expect([...english, ...korean].filter((text) => text.trim() === "" || text.includes("undefined"))).toEqual(
    [],
  );
  // Words that are the same in both are names of things, not forgotten translations.
  const same = english.filter((text) => korean.includes(text)).sort();
  expect(same).toEqual(["CPU one", "one (two)"]);
  expect(korean.filter((text) => !/\p{Script=Hangul}/u.test(text))).toEqual(["one (two)", "CPU one"]);
});

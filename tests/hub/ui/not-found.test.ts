import { expect, test } from "bun:test";
import { stringsOf } from "../../../src/hub/ui/language.ts";
import { usualData } from "./page-data.ts";
import { createPageApp } from "./page-server.ts";

const { get } = createPageApp(usualData());
const nowhere = "01997000-0000-7000-8000-00000000ffff";

const cases = [
  ["/cameras/nowhere", "camera"],
  ["/cameras/nowhere/live", "camera"],
  ["/cameras/nowhere?at=2025-09-23T06:30:00Z&with=cam01", "camera"],
  [`/videos/${nowhere}`, "video"],
  ["/nothing/here", "page"],
] as const;
for (const [path, what] of cases) {
  test(`${path} says what it is that is not there, in both languages`, async () => {
    for (const language of ["en", "ko"] as const) {
      const response = await get(path, { "accept-language": language });
      expect(response.status).toBe(404);
      const text = (await response.text()).replaceAll("&#39;", "'");
      expect(text).toContain(`<p>${stringsOf[language].error.notFound[what]}</p>`);
    }
  });
}

test("a style or script of another release is not there", async () => {
  const { status } = await get("/assets/script.000000000000.js", {});
  expect(status).toBe(404);
});

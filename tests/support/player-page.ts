import type { Page } from "playwright-core";
import type { TestBrowser } from "./browser.ts";
import type { TestHub } from "./test-hub.ts";

/** A page of the hub's, signed in, with a player in it, from the hub's own address as the policy of its pages demands. */
export async function openPlayerPage(
  browser: TestBrowser | undefined,
  hub: TestHub,
  library: "hls.js/dist/hls.js" | "shaka-player",
): Promise<{ page: Page; troubles: string[] }> {
  if (browser === undefined) throw new Error("there is no browser");
  const [name = "", value = ""] = (await hub.signIn()).split("=");
  await browser.context.addCookies([{ name, value, url: hub.url }]);
  const { page, troubles } = await browser.open();
  const script = Bun.resolveSync(library, import.meta.dir);
  await page.route("**/assets/library.js", (route) =>
    route.fulfill({ path: script, contentType: "text/javascript" }),
  );
  await page.goto(`${hub.url}/api/docs`);
  await page.addScriptTag({ url: "/assets/library.js" });
  return { page, troubles };
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

export const chromiumPath = "/usr/bin/chromium";

export interface TestBrowser extends AsyncDisposable {
  context: BrowserContext;
  /** A page that remembers what went wrong in it: errors on the console, uncaught ones, breaches of the CSP. */
  open(options?: PageOptions): Promise<{ page: Page; troubles: string[] }>;
}

export interface PageOptions {
  width?: number;
  height?: number;
  colorScheme?: "light" | "dark";
  language?: string;
}

/** Debian's Chromium, which plays H.264, with a profile of its own. */
export async function openBrowser(): Promise<TestBrowser> {
  const profile = await mkdtemp(join(tmpdir(), "livecam-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    headless: true,
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
      ...["--disable-component-update", "--disable-sync", "--no-first-run"],
    ],
  });
  return {
    context,
    async open({ width = 1440, height = 900, colorScheme = "light", language = "en" } = {}) {
      const page = await context.newPage();
      const troubles: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") troubles.push(message.text());
      });
      page.on("pageerror", (error) => troubles.push(String(error)));
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await page.setExtraHTTPHeaders({ "accept-language": language });
      return { page, troubles };
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

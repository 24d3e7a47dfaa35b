import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bundleClient } from "./bundle-client.ts";
import { bundledClient } from "./bundled-client.ts";

export interface ClientScript {
  /** Changes with the content, in the address under which browsers keep it. */
  identity: string;
  text(): Promise<string>;
}

/**
 * The script of the pages. A compiled hub has it inside; from source its identity is that of the files it is made of,
 * and it is bundled (some 30 ms) when a browser first asks for it, so that a hub that nobody looks at starts as quickly.
 */
export function openClientScript(): ClientScript {
  if (bundledClient !== undefined) {
    const text = bundledClient;
    return { identity: text, text: async () => text };
  }
  const folder = join(import.meta.dir, "client");
  const paths = [...new Bun.Glob("**/*.ts").scanSync({ cwd: folder })].sort();
  let made: Promise<string> | undefined;
  return {
    identity: paths.map((path) => readFileSync(join(folder, path), "utf8")).join("\0"),
    text() {
      made ??= bundleClient();
      return made;
    },
  };
}

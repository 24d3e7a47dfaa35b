import { join } from "node:path";
import { plugin } from "bun";

/** Preloaded, it gives our code crashing-fs.ts in place of the file system. */
plugin({
  name: "crashes",
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
      const text = await Bun.file(path).text();
      const crashing = JSON.stringify(join(import.meta.dir, "crashing-fs.ts"));
      return { contents: text.replaceAll('"node:fs/promises"', crashing), loader: "ts" };
    });
  },
});

import { join } from "node:path";
import { plugin } from "bun";

/** The project may itself lie in a folder of that name. */
const source = join(import.meta.dir, "../../../src/");

/** Preloaded, it gives our code crashing-fs.ts in place of the file system. */
plugin({
  name: "crashes",
  setup(build) {
    const filter = new RegExp(`^${RegExp.escape(source)}.*\\.ts$`);
    build.onLoad({ filter }, async ({ path }) => {
      const text = await Bun.file(path).text();
      const crashing = JSON.stringify(join(import.meta.dir, "crashing-fs.ts"));
      return { contents: text.replaceAll('"node:fs/promises"', crashing), loader: "ts" };
    });
  },
});

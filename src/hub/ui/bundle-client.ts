import { join } from "node:path";

/** All script of the pages as one module of JavaScript. Throws with Bun's messages when the sources do not bundle. */
export async function bundleClient(): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [join(import.meta.dir, "client/main.ts")],
    target: "browser",
    format: "esm",
    minify: true,
  });
  const [output] = outputs;
  if (output === undefined) throw new Error("the script of the pages is empty");
  return output.text();
}

import type { BunPlugin } from "bun";
import { bundleClient } from "../src/hub/ui/bundle-client.ts";

/** Puts the script of the pages, bundled, in the place of the module that holds none. */
export async function embedClientScript(): Promise<{ plugin: BunPlugin; wasEmbedded: () => boolean }> {
  const text = await bundleClient();
  let embedded = false;
  const plugin: BunPlugin = {
    name: "embed-client-script",
    setup(build) {
      build.onLoad({ filter: /[\\/]ui[\\/]bundled-client\.ts$/ }, () => {
        embedded = true;
        return { contents: `export const bundledClient = ${JSON.stringify(text)};\n`, loader: "js" };
      });
    },
  };
  return { plugin, wasEmbedded: () => embedded };
}

import { stringify } from "yaml";
import type { TextSink } from "../common/verify-progress.ts";
import type { EdgeConfig } from "./config.ts";
import { ConfigStore } from "./config-store.ts";

const hidden = "hidden";

/**
 * `config show`: what is in force, defaults included. A secret is shown as where it is, since that is all the config
 * holds; what may be one inside an address is hidden. Throws `invalid_config`.
 */
export async function runConfigShow(
  { config: path, json }: { config: string; json?: boolean },
  out: TextSink,
): Promise<number> {
  const store = await ConfigStore.load(path);
  const shown = withoutTokens(store.config);
  out.write(
    json
      ? `${JSON.stringify({ config_version: store.version, config: shown }, null, 2)}\n`
      : `# ${path}, with every default; version ${store.version}\n${stringify(shown, { lineWidth: 0 })}`,
  );
  return 0;
}

/** Cameras take keys in the query of their address; its names are shown, its values are not. */
function withoutTokens(config: EdgeConfig): EdgeConfig {
  return {
    ...config,
    cameras: config.cameras.map((camera) =>
      camera.source.type === "rtsp"
        ? { ...camera, source: { ...camera.source, url: withoutValues(camera.source.url) } }
        : camera,
    ),
  };
}

function withoutValues(url: string): string {
  const query = url.indexOf("?");
  if (query < 0) return url;
  const parts = url.slice(query + 1).split("&");
  return `${url.slice(0, query)}?${parts.map((part) => (part.includes("=") ? part.replace(/=.*/s, `=${hidden}`) : hidden)).join("&")}`;
}

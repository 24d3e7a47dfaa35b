import { stringify } from "yaml";
import type { TextSink } from "../common/verify-progress.ts";
import { ConfigStore } from "./config-store.ts";
import { withoutTokens } from "./shown-config.ts";

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

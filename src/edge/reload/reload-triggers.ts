import { errorCodeOf } from "../../common/errors.ts";
import type { Logger } from "../../common/log.ts";
import type { Wakeup } from "../../common/wakeup.ts";
import { watchConfig } from "./config-watch.ts";
import type { Reloader } from "./reloader.ts";

export interface ReloadTriggers {
  reloader: Reloader;
  /** Woken by SIGHUP. */
  hangup: Wakeup;
  /** Whether a changed file is put in force by itself. */
  isWatching: () => boolean;
  logger: Logger;
}

/** Reloads on SIGHUP and when a file changes. Until aborted; a config that is refused is logged and told elsewhere. */
export async function reloadWhenAsked(triggers: ReloadTriggers, signal: AbortSignal): Promise<void> {
  const { reloader, isWatching } = triggers;
  const files = () => reloader.files();
  const onChange = async () => void (await changesOf(reloader));
  await Promise.all([onHangup(triggers, signal), watchConfig({ files, isOn: isWatching, onChange }, signal)]);
}

async function onHangup({ reloader, hangup, logger }: ReloadTriggers, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await hangup.wait(signal);
    if (signal.aborted) return;
    // Whoever sends it wants to know that it came.
    if ((await changesOf(reloader)) === 0) logger.info("the config has not changed");
  }
}

/** Undefined when the config was refused. */
async function changesOf(reloader: Reloader): Promise<number | undefined> {
  try {
    return (await reloader.reload()).changes.length;
  } catch (error) {
    if (["invalid_config", "unavailable"].includes(errorCodeOf(error))) return undefined;
    throw error;
  }
}

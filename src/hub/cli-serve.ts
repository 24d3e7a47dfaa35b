import { selfCommand } from "../common/child-process.ts";
import { aborted, abortOnSignals } from "../common/lifecycle.ts";
import { configureLogging, createLogger } from "../common/log.ts";
import type { CliContext } from "./cli-context.ts";
import { type HubOptions, loadHubConfig } from "./config.ts";
import { openHub } from "./hub.ts";

/** `serve`: ends the process when a signal asks for it. */
export async function runServe(options: HubOptions, { entryFile, err }: CliContext): Promise<never> {
  const config = await loadHubConfig(options);
  const readable = err.isTTY === true;
  const errorCounts = new Map<string, number>();
  configureLogging({
    ...{ level: config.log_level, readable },
    onError: (module) => void errorCounts.set(module, (errorCounts.get(module) ?? 0) + 1),
  });
  const logger = createLogger("hub");
  const signal = abortOnSignals((name) => logger.info("ending", { signal: name }));

  {
    await using hub = await openHub({ config, selfCommand: selfCommand(entryFile), errorCounts });
    logger.info("the hub is ready", {
      address: hub.url,
      data: config.data_path,
      archive: config.archive_path,
    });
    if (hub.hasNoUser) {
      err.write(
        `Nobody can sign in yet. Create a user: livecam-hub user add NAME --role admin --data ${config.data_path}\n`,
      );
    }
    await aborted(signal);
  }
  // A look at a hung archive may never end; it must not keep us.
  process.exit(0);
}

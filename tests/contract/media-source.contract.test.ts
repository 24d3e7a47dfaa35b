import { setDefaultTimeout } from "bun:test";
import { systemClock } from "../../src/common/clock.ts";
import { createLogger } from "../../src/common/log.ts";
import { createDirectoryMediaSource } from "../../src/hub/playback/directory-media-source.ts";
import { MediaWorkers } from "../../src/hub/playback/workers/media-workers.ts";
import { createWorkerMediaSource } from "../../src/hub/playback/workers/worker-media-source.ts";
import { hubCommand } from "../support/test-hub.ts";
import { testMediaSource } from "./media-source.contract.ts";

setDefaultTimeout(60_000);

testMediaSource("a folder of a local disk", ({ root, archiveId }) => ({
  media: createDirectoryMediaSource({ root, archiveId }),
  [Symbol.asyncDispose]: async () => undefined,
}));

testMediaSource("media workers", ({ root, archiveId }) => {
  const logger = createLogger("test");
  const workers = new MediaWorkers({
    ...{ selfCommand: hubCommand, root, clock: systemClock, logger },
    // Others use this machine, too.
    deadlineMs: 30_000,
  });
  // Every look is a new one, as in the contract; that one is remembered for a second is tried elsewhere.
  let nowMs = 1;
  return {
    media: createWorkerMediaSource({
      ...{ workers, archiveId, logger, clock: { monotonicMs: () => nowMs++ * 10_000 } },
    }),
    [Symbol.asyncDispose]: async () => workers[Symbol.dispose](),
  };
});

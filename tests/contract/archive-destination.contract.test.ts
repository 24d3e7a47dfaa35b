import { join } from "node:path";
import { createLogger } from "../../src/common/log.ts";
import { PathDestination } from "../../src/edge/uploader/path-destination.ts";
import { WorkerDestination } from "../../src/edge/uploader/worker-destination.ts";
import { archiveDestinationContract } from "./archive-destination.contract.ts";

archiveDestinationContract("path destination", async (archive) => ({
  archive,
  destination: new PathDestination({ path: archive }),
  async [Symbol.asyncDispose]() {},
}));

archiveDestinationContract("path destination behind a worker", async (archive) => {
  const destination = new WorkerDestination({
    command: [process.execPath, join(import.meta.dir, "../../src/edge/main.ts"), "archive-worker"],
    destination: { type: "path", path: archive },
    stallMs: 60_000,
    logger: createLogger("uploader"),
  });
  return {
    archive,
    destination,
    async [Symbol.asyncDispose]() {
      destination[Symbol.dispose]();
    },
  };
});

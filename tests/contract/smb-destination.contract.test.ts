import { afterAll, beforeAll } from "bun:test";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createLogger } from "../../src/common/log.ts";
import { WorkerDestination } from "../../src/edge/uploader/worker-destination.ts";
import { canServeSmb, SmbServer, whyNoSmb } from "../support/smb-server.ts";
import { testIf } from "../support/test-if.ts";
import { archiveDestinationContract } from "./archive-destination.contract.ts";

let server: SmbServer;

if (canServeSmb) {
  beforeAll(async () => {
    server = await SmbServer.start({ tmp: tmpdir() });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  archiveDestinationContract("SMB destination behind a worker, reading back", async (archive) => {
    const destination = new WorkerDestination({
      command: [process.execPath, join(import.meta.dir, "../../src/edge/main.ts"), "archive-worker"],
      destination: {
        ...server.destination("tmp"),
        path: relative(tmpdir(), archive),
        verify: "read_back",
      },
      runFolder: join(server.folder, "run"),
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
} else {
  testIf(false, whyNoSmb)("SMB destination keeps the contract of destinations", () => undefined);
}

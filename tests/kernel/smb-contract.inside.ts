import { afterAll, beforeAll } from "bun:test";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { relative } from "node:path";
import { createDestination } from "../../src/edge/uploader/create-destination.ts";
import { archiveDestinationContract } from "../contract/archive-destination.contract.ts";
import { SmbServer } from "../support/smb-server.ts";

let server: SmbServer;

beforeAll(async () => {
  server = await SmbServer.start({ tmp: tmpdir() });
});
afterAll(() => server[Symbol.asyncDispose]());

for (const protocol of process.env.LIVECAM_LONG ? (["SMB2", "SMB3"] as const) : (["SMB3"] as const)) {
  archiveDestinationContract(`${protocol}, mounted by the kernel`, async (archive) => {
    const runFolder = `${archive}-run`;
    await mkdir(runFolder);
    const path = relative(tmpdir(), archive);
    const destination = createDestination(server.mountDestination("tmp", { path, protocol }), {
      env: {},
      runFolder,
    });
    return {
      archive,
      destination,
      // closetimeo and actimeo of mount.cifs(8), both 1 s: a file may be open, and its attributes known, for so long.
      forget: () => Bun.sleep(1500),
      [Symbol.asyncDispose]: async () => destination.close?.(),
    };
  });
}

import { afterAll, beforeAll } from "bun:test";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import * as v from "valibot";
import { NfsDestination } from "../../src/edge/destination-config.ts";
import { createDestination } from "../../src/edge/uploader/create-destination.ts";
import { archiveDestinationContract } from "../contract/archive-destination.contract.ts";
import { NfsServer } from "../support/nfs-server.ts";

let server: NfsServer;

beforeAll(async () => {
  server = await NfsServer.start({ "/tmp": tmpdir() });
});
afterAll(() => server[Symbol.asyncDispose]());

for (const version of process.env.LIVECAM_LONG ? ["4.0", "4.1", "4.2"] : ["4.2"]) {
  archiveDestinationContract(`NFS v${version}, mounted by the kernel`, async (archive) => {
    const runFolder = `${archive}-run`;
    await mkdir(runFolder);
    const destination = createDestination(
      v.parse(NfsDestination, {
        ...{ type: "nfs", server: "127.0.0.1", port: server.port, version },
        export: join("/tmp", relative(tmpdir(), archive)),
      }),
      { env: {}, runFolder },
    );
    return { archive, destination, [Symbol.asyncDispose]: async () => destination.close?.() };
  });
}

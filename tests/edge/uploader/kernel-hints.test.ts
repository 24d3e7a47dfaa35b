import { expect } from "bun:test";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { reserveSpace } from "../../../src/edge/uploader/kernel-hints.ts";
import { canMount, mountSmallDisk } from "../../support/small-disk.ts";
import { testIf } from "../../support/test-if.ts";

const mib = 1024 * 1024;

testIf(canMount, "mounting needs root")(
  "reserved room is the file's before it has a byte, and a disk without so much is no error yet",
  async () => {
    await using disk = await mountSmallDisk(4 * mib);
    await using file = await open(join(disk.path, "file"), "w");
    const found = () => stat(join(disk.path, "file"));
    reserveSpace(file.fd, 5 * mib);
    expect((await found()).size).toBe(0);
    reserveSpace(file.fd, 2 * mib);
    expect((await found()).size).toBe(0);
    expect((await found()).blocks * 512).toBe(2 * mib);
    await file.write(new Uint8Array(1000), 0, 1000, 0);
    expect((await found()).size).toBe(1000);
  },
);

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArchiveIdentity } from "../../../src/common/archive-identity.ts";
import { runChild } from "../../../src/common/child-process.ts";
import { systemClock } from "../../../src/common/clock.ts";
import { AppError } from "../../../src/common/errors.ts";
import { newUuidV7 } from "../../../src/common/ids.ts";
import { createLogger } from "../../../src/common/log.ts";
import type { ArchiveProbe } from "../../../src/hub/archive/archive-probe.ts";
import { ArchiveWatch } from "../../../src/hub/archive/archive-watch.ts";
import { createChildArchiveProbe } from "../../../src/hub/archive/child-archive-probe.ts";
import { lookAtArchive } from "../../../src/hub/archive/look-at-archive.ts";
import type { Settings } from "../../../src/hub/db/settings.ts";
import { hubCommand } from "../../support/test-hub.ts";

let folder: string;
let root: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "livecam-archive-"));
  root = join(folder, "videos");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function memorySettings(): Settings & { values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    get: async (name) => values.get(name),
    async getOrSet(name, value) {
      if (!values.has(name)) values.set(name, value);
      return values.get(name) ?? "";
    },
  };
}

/** In this process: what hangs is tried with the real child below. */
const directProbe: ArchiveProbe = { look: ({ create }) => lookAtArchive(root, create) };

async function openWatch(settings = memorySettings(), probe = directProbe) {
  const watch = new ArchiveWatch({
    probe,
    settings,
    clock: systemClock,
    logger: createLogger("test"),
    newArchiveId: () => newUuidV7(Date.now()),
  });
  await watch.load();
  return watch;
}

const identity = async () => parseArchiveIdentity(await Bun.file(join(root, "metadata/archive.json")).text());

describe("the archive's identity", () => {
  test("is made in an empty folder, once, and remembered", async () => {
    await mkdir(root);
    const settings = memorySettings();
    const watch = await openWatch(settings);
    await watch.check();
    expect(watch.status).toMatchObject({
      state: "ok",
      figures: { archive_id: (await identity()).archive_id },
    });
    expect(watch.archiveId).toBe((await identity()).archive_id);
    const before = await Bun.file(join(root, "metadata/archive.json")).text();
    const again = await openWatch(settings);
    expect(again.archiveId).toBe(watch.archiveId);
    await again.check();
    expect(again.status.state).toBe("ok");
    expect(await Bun.file(join(root, "metadata/archive.json")).text()).toBe(before);
  });

  test("is made beside what a NAS puts into empty folders by itself", async () => {
    await mkdir(join(root, "lost+found"), { recursive: true });
    await mkdir(join(root, "@eaDir"));
    await mkdir(join(root, "#recycle"));
    const watch = await openWatch();
    await watch.check();
    expect(watch.status.state).toBe("ok");
  });

  test("is taken from an archive that is there, by a hub that knows none", async () => {
    await mkdir(root);
    await (await openWatch()).check();
    await mkdir(join(root, "cam01"));
    const other = await openWatch();
    await other.check();
    expect(other.archiveId).toBe((await identity()).archive_id);
  });

  test("is never made where there is no folder", async () => {
    const watch = await openWatch();
    await watch.check();
    expect(watch.status.state).toBe("down");
    expect(existsSync(root)).toBe(false);
    await writeFile(root, "a file");
    await watch.check();
    expect(watch.status.state).toBe("down");
    expect(watch.archiveId).toBeUndefined();
  });

  test("is never made beside videos or anything else that people put there", async () => {
    await mkdir(join(root, "cam01"), { recursive: true });
    const watch = await openWatch();
    await watch.check();
    expect(watch.status).toMatchObject({ state: "down", message: expect.stringContaining("archive.json") });
    expect(await readdir(root)).toEqual(["cam01"]);
  });

  test("an empty mount point is not taken for a new archive by a hub that knows one", async () => {
    await mkdir(root);
    const watch = await openWatch();
    await watch.check();
    const known = watch.archiveId;
    await rename(root, `${root}.unmounted`);
    await mkdir(root);
    await watch.check();
    expect(watch.status).toMatchObject({ state: "down", message: expect.stringContaining("mounted") });
    expect(await readdir(root)).toEqual([]);
    expect(watch.archiveId).toBe(known);
    await rm(root, { recursive: true });
    await rename(`${root}.unmounted`, root);
    await watch.check();
    expect(watch.status.state).toBe("ok");
  });

  test("another archive in its place is reported, not taken over, not written to", async () => {
    await mkdir(root);
    const watch = await openWatch();
    await watch.check();
    const known = watch.archiveId;
    await rm(root, { recursive: true });
    await mkdir(root);
    await (await openWatch()).check();
    const before = await identity();
    await watch.check();
    expect(watch.status).toMatchObject({
      state: "down",
      message: expect.stringContaining("another archive"),
      figures: { archive_id: known, found_archive_id: before.archive_id },
    });
    expect(watch.archiveId).toBe(known);
    expect(await identity()).toEqual(before);
  });

  test("a damaged or planted identity file is none", async () => {
    await mkdir(join(root, "metadata"), { recursive: true });
    const file = join(root, "metadata/archive.json");
    const damaged = ["", "{", "null", "{}", '{"archive_id":"x"}', "x".repeat(1_000_000)];
    for (const text of damaged) {
      await writeFile(file, text);
      const watch = await openWatch();
      await watch.check();
      expect(watch.status).toMatchObject({ state: "down", message: expect.stringContaining("damaged") });
    }
    await rm(file);
    await writeFile(join(folder, "elsewhere.json"), "{}");
    await symlink(join(folder, "elsewhere.json"), file);
    expect(await lookAtArchive(root, undefined)).toEqual({ found: "bad_identity" });
    await rm(file);
    await mkdir(file);
    expect(await lookAtArchive(root, undefined)).toEqual({ found: "bad_identity" });
    await rm(file, { recursive: true });
    await runChild({ argv: ["mkfifo", file], timeoutMs: 5_000 });
    expect(await lookAtArchive(root, undefined)).toEqual({ found: "bad_identity" });
  });
});

describe("looking from a child process", () => {
  test("finds the same", async () => {
    await mkdir(root);
    const watch = await openWatch(
      memorySettings(),
      createChildArchiveProbe({ selfCommand: hubCommand, root }),
    );
    await watch.check();
    expect(watch.status).toMatchObject({
      state: "ok",
      figures: { archive_id: (await identity()).archive_id },
    });
  });

  test("a folder that begins with a dash is a folder", async () => {
    const probe = createChildArchiveProbe({ selfCommand: hubCommand, root: "--create" });
    expect(await probe.look({ create: undefined })).toEqual({ found: "no_folder" });
  });

  /** A program that ignores what it is asked and hangs, whatever signal it gets. */
  async function hangingCommand() {
    const script = join(folder, "hang.sh");
    await writeFile(
      script,
      `#!/bin/sh\ntrap '' INT TERM\necho started >> ${join(folder, "starts")}\nexec 1>&-\nwhile :; do sleep 1; done\n`,
    );
    await chmod(script, 0o755);
    return [script];
  }

  test("one that hangs is given up, said, and started again only when it is gone", async () => {
    const settings = memorySettings();
    const probe = createChildArchiveProbe({ selfCommand: await hangingCommand(), root, deadlineMs: 1_000 });
    const watch = await openWatch(settings, probe);
    await watch.check();
    expect(watch.status).toMatchObject({ state: "down", message: "the archive does not answer" });
    const starts = async () => (await Bun.file(join(folder, "starts")).text()).trim().split("\n").length;
    expect(await starts()).toBe(1);
    await expect(probe.look({ create: undefined })).rejects.toThrow("does not answer");
    // The shell can be killed, unlike a process that waits for a NAS.
    while ((await starts()) < 2) {
      await probe.look({ create: undefined }).catch(() => undefined);
      await Bun.sleep(10);
    }
    expect(await starts()).toBe(2);
  });

  test("one that fails or talks nonsense is an error in words", async () => {
    const look = (selfCommand: string[]) =>
      createChildArchiveProbe({ selfCommand, root })
        .look({ create: undefined })
        .catch((error) => error);
    expect(await look(["/bin/false"])).toBeInstanceOf(AppError);
    expect(await look(["/bin/echo"])).toBeInstanceOf(Error);
    expect(await look(["/no/such/program"])).toBeInstanceOf(AppError);
    const watch = await openWatch(
      memorySettings(),
      createChildArchiveProbe({ selfCommand: ["/bin/echo"], root }),
    );
    await watch.check();
    expect(watch.status.state).toBe("down");
  });
});

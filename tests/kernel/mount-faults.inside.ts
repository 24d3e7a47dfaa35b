import { beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import * as v from "valibot";
import { runChild } from "../../src/common/child-process.ts";
import { createLogger } from "../../src/common/log.ts";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import { type DestinationConfig, NfsDestination } from "../../src/edge/destination-config.ts";
import type { PutRequest } from "../../src/edge/uploader/archive-destination.ts";
import { WorkerDestination } from "../../src/edge/uploader/worker-destination.ts";
import { makeArchive, testArchiveId, writeSegment } from "../contract/archive-destination.contract.ts";
import { writeLargeSegment } from "../support/large-segment.ts";
import { NfsServer } from "../support/nfs-server.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { mountSmallDisk } from "../support/small-disk.ts";
import { SmbServer, smbPassword } from "../support/smb-server.ts";

const longMs = 40_000;

/** A NAS with the archive `videos`, a small one `full`, and `videos` once more as `ro-videos`. */
interface Nas extends AsyncDisposable {
  destination(share: string): DestinationConfig;
  signal(name: NodeJS.Signals): Promise<void> | void;
  kill(): Promise<void>;
  run(): Promise<void>;
}

const technologies: [name: string, start: (folders: Record<string, string>) => Promise<Nas>][] = [
  ["NFS", startNfs],
  ["SMB", startSmb],
];

async function startNfs(folders: Record<string, string>): Promise<Nas> {
  const server = await NfsServer.start(
    Object.fromEntries(Object.entries(folders).map(([name, folder]) => [`/${name}`, folder])),
  );
  return Object.assign(server, {
    destination: (share: string) =>
      v.parse(NfsDestination, {
        ...{ type: "nfs", server: "127.0.0.1", port: server.port, export: `/${share}` },
      }),
  });
}

async function startSmb(folders: Record<string, string>): Promise<Nas> {
  const server = await SmbServer.start(folders);
  const nas: Nas = {
    destination: (share) => server.mountDestination(share),
    signal: (name) => server.signal(name),
    kill: () => server.kill(),
    run: () => server.run(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return nas;
}

/* The guest's memory is gone with it, and so is what lies here. */
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let disk: Awaited<ReturnType<typeof mountSmallDisk>>;
let large: PutRequest;

beforeAll(async () => {
  folder = await temporaryFolder();
  disk = await mountSmallDisk(4 * 1024 * 1024);
  const [sourcePath, identity] = await writeLargeSegment(folder.path);
  large = { sourcePath, identity, expectedArchiveId: testArchiveId };
});

const filesIn = async (root: string) =>
  (await readdir(root, { recursive: true })).filter((name) => /\.(?:mp4|partial)$/.test(name)).sort();

async function run(...argv: string[]): Promise<string> {
  const { exitCode, stdout, stderrTail } = await runChild({ argv, timeoutMs: 30_000 });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")}: ${stderrTail}`);
  return new TextDecoder().decode(stdout);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(50);
}

for (const [technology, start] of technologies) {
  /** A NAS that runs, and what reaches it as the edge does. */
  const setUp = async () => {
    const at = await mkdtemp(join(folder.path, "nas-"));
    const archive = join(at, "videos");
    const runFolder = join(at, "run");
    await makeArchive(archive);
    await mkdir(runFolder);
    const nas = await start({ videos: archive, full: disk.path, "ro-videos": archive });
    const opened: WorkerDestination[] = [];
    /** A worker that starts may take its time; `patience` is for what is put from then on. */
    const open = (options: { share?: string; patience?: { stallMs: number } } = {}) => {
      const destination = new WorkerDestination({
        command: [process.execPath, join(import.meta.dir, "../../src/edge/main.ts"), "archive-worker"],
        destination: nas.destination(options.share ?? "videos"),
        ...{ runFolder, stallMs: () => options.patience?.stallMs ?? longMs },
        logger: createLogger("uploader"),
      });
      opened.push(destination);
      return destination;
    };
    const mounts = async () =>
      (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => line.includes(runFolder));
    return {
      ...{ archive, nas, open, mounts, runFolder, mountPoint: join(runFolder, "archive") },
      small: async (): Promise<PutRequest> => {
        const [sourcePath, identity] = await writeSegment(at);
        return { sourcePath, identity, expectedArchiveId: testArchiveId };
      },
      async [Symbol.asyncDispose]() {
        for (const destination of opened) await destination[Symbol.asyncDispose]();
        await nas[Symbol.asyncDispose]();
      },
    };
  };

  /** Exactly this video is in the archive, whole. */
  const expectOnly = async (archive: string, filePath: string) => {
    expect(await filesIn(archive)).toEqual([filePath]);
    expect(await verifyArchiveFile(join(archive, filePath))).toMatchObject({ ok: true, problems: [] });
  };

  /** At the first progress of the upload. */
  const inTheMiddle = (act: () => Promise<void> | void) => {
    let acted: Promise<void> | undefined;
    return {
      onProgress: () => {
        acted ??= (async () => act())();
      },
      done: () => acted,
    };
  };

  describe(`${technology}, mounted by the kernel`, () => {
    test("is mounted with livecam's options, shows no secret, and is taken off at the end", async () => {
      await using at = await setUp();
      const destination = at.open();
      let commandLines = "";
      const put = inTheMiddle(async () => {
        for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
          commandLines += await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
        }
      });
      const { filePath } = await destination.put(large, put);
      await put.done();
      await expectOnly(at.archive, filePath);
      const [line = "", ...more] = await at.mounts();
      expect(more).toEqual([]);
      expect(line).toContain(technology === "NFS" ? "nosuid,nodev,noexec,noatime" : "nosuid,nodev,noexec");
      expect(line).toContain(technology === "NFS" ? ",softerr," : ",soft,");
      for (const text of [line, commandLines, await readFile("/proc/mounts", "utf8")]) {
        expect(text).not.toContain(smbPassword);
      }
      expect(await readdir(at.runFolder)).toEqual(["archive"]);
      await destination[Symbol.asyncDispose]();
      expect(await at.mounts()).toEqual([]);
      expect(await readdir(at.mountPoint)).toEqual([]);
    });

    test("a server that is stopped costs a worker, ends in time, and gets everything later", async () => {
      await using at = await setUp();
      const patience = { stallMs: longMs };
      const destination = at.open({ patience });
      expect(await destination.check()).toMatchObject({ ok: true });
      patience.stallMs = 3000;
      const put = inTheMiddle(() => at.nas.signal("SIGSTOP"));
      await expect(destination.put(large, put)).rejects.toMatchObject({ code: "timeout" });
      expect(destination.abandonedWorkers).toBe(1);
      const startedMs = performance.now();
      await destination[Symbol.asyncDispose]();
      // What a service manager gives it; as measured, a tenth of it.
      expect(performance.now() - startedMs).toBeLessThan(60_000);
      await at.nas.signal("SIGCONT");
      const { filePath } = await at.open().put(large);
      await expectOnly(at.archive, filePath);
    });

    test("a worker that hangs in the kernel is let go by it while the server is still stopped", async () => {
      await using at = await setUp();
      const patience = { stallMs: longMs };
      const destination = at.open({ patience });
      await until(async () => (await destination.check()).ok);
      patience.stallMs = 2000;
      await at.nas.signal("SIGSTOP");
      for (let i = 0; i < 3; i++) expect(await destination.check()).toMatchObject({ ok: false });
      expect(destination.abandonedWorkers).toBeGreaterThan(0);
      await until(async () => !(await run("ps", "-eo", "args")).includes("archive-worker"));
      await at.nas.signal("SIGCONT");
      patience.stallMs = longMs;
      await until(async () => (await destination.check()).ok);
    }, 180_000);

    test("a server that dies in the middle leaves no half file, and gets the whole when it is back", async () => {
      await using at = await setUp();
      const destination = at.open();
      const put = inTheMiddle(async () => {
        await at.nas.kill();
        // When it was quicker than we are, it is whole.
        for (const name of (await filesIn(at.archive)).filter((each) => each.endsWith(".mp4"))) {
          expect(await verifyArchiveFile(join(at.archive, name))).toMatchObject({ ok: true, problems: [] });
        }
        await at.nas.run();
      });
      // An NFS client goes on with a server that is back soon; for others the upload is over.
      const first = await destination.put(large, put).catch((error: unknown) => error);
      await put.done();
      if (first instanceof Error)
        expect(first).toMatchObject({ code: expect.stringMatching(/^(io|timeout)$/) });
      const { filePath } = await destination.put(large);
      await expectOnly(at.archive, filePath);
    }, 180_000);

    test("an archive that is read-only is said to be one", async () => {
      await using at = await setUp();
      await expect(at.open({ share: "ro-videos" }).put(large)).rejects.toMatchObject({
        code: "io",
        details: { side: "archive", errno: expect.stringMatching(/EROFS|EACCES|EPERM/) },
      });
      expect(await filesIn(at.archive)).toEqual([]);
    });

    test("a full archive gets no half file, and the segment when there is room", async () => {
      await using at = await setUp();
      await makeArchive(disk.path);
      const destination = at.open({ share: "full" });
      await expect(destination.put(large)).rejects.toMatchObject({
        code: "io",
        details: { side: "archive", errno: "ENOSPC" },
      });
      expect(await filesIn(disk.path)).toEqual([]);
      const { filePath } = await destination.put(await at.small());
      await expectOnly(disk.path, filePath);
      await rm(join(disk.path, "cam01"), { recursive: true });
    });

    test("a line of 2 MB/s is slow, and not stuck", async () => {
      await using at = await setUp();
      // Less than the whole takes: what the kernel has gathered must not be much.
      const patience = { stallMs: longMs };
      const destination = at.open({ patience });
      await destination.check();
      patience.stallMs = 5000;
      await run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "rate", "16mbit");
      try {
        const { filePath } = await destination.put(large);
        expect(destination.abandonedWorkers).toBe(0);
        await expectOnly(at.archive, filePath);
      } finally {
        await run("tc", "qdisc", "del", "dev", "lo", "root");
      }
    });

    test("a line that swallows everything costs a worker, and all arrives when it no longer does", async () => {
      await using at = await setUp();
      const patience = { stallMs: longMs };
      const destination = at.open({ patience });
      await destination.check();
      patience.stallMs = 3000;
      await run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "loss", "100%");
      try {
        await expect(destination.put(large)).rejects.toMatchObject({ code: "timeout" });
      } finally {
        await run("tc", "qdisc", "del", "dev", "lo", "root");
      }
      patience.stallMs = longMs;
      await until(async () => (await destination.check()).ok);
      const { filePath } = await destination.put(large);
      await expectOnly(at.archive, filePath);
    }, 180_000);

    test("another archive at the same address is refused, and gets nothing", async () => {
      await using at = await setUp();
      const swap = async (archiveId: string) => {
        await at.nas.kill();
        await run("mount", "-t", "tmpfs", "tmpfs", at.archive);
        await makeArchive(at.archive, archiveId);
        await at.nas.run();
      };
      await swap(testArchiveId);
      const destination = at.open();
      const { filePath } = await destination.put(await at.small());
      expect(await filesIn(at.archive)).toEqual([filePath]);
      await swap("01997000-0000-7000-8000-0000000000bb");
      // Before it is refused for the archive it may be for the connection, which the kernel makes anew.
      await until(async () => {
        const error = await destination.put(large).catch((error: unknown) => error);
        expect(error).toBeInstanceOf(Error);
        expect(await filesIn(at.archive)).toEqual([]);
        return (error as Error).message.includes("another archive is mounted");
      });
      await at.nas.kill();
      for (let i = 0; i < 2; i++) await run("umount", at.archive);
    }, 180_000);

    test("a server that is not there is said so, and nothing lies under the mount point", async () => {
      await using at = await setUp();
      const destination = at.open();
      await at.nas.kill();
      await expect(destination.put(large)).rejects.toMatchObject({ code: "unavailable" });
      expect(await destination.check()).toMatchObject({
        ok: false,
        reason: expect.stringContaining("the server cannot be reached"),
      });
      expect(await at.mounts()).toEqual([]);
      expect(await filesIn(at.runFolder)).toEqual([]);
      await at.nas.run();
      const { filePath } = await destination.put(large);
      await expectOnly(at.archive, filePath);
    });

    test("a share that is not there is told apart from a server that is not", async () => {
      await using at = await setUp();
      expect(await at.open({ share: "films" }).check()).toMatchObject({
        ok: false,
        reason: expect.stringContaining("no such export or share"),
      });
    });

    test("what a killed edge left mounted is used when it is right, and taken off when it is not", async () => {
      await using at = await setUp();
      await at.open().put(await at.small());
      const [before] = await at.mounts();
      expect(await at.open().check()).toMatchObject({ ok: true });
      expect(await at.mounts()).toEqual([before!]);
      const other = at.open({ share: "full" });
      await makeArchive(disk.path);
      await other.check();
      expect(await at.mounts()).toHaveLength(1);
      expect((await at.mounts())[0]).toContain("/full");
      expect(basename(at.mountPoint)).toBe("archive");
    });
  });
}

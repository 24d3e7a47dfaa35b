import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { archivePathOf } from "../../../src/common/archive-path.ts";
import { createLogger } from "../../../src/common/log.ts";
import { Secret } from "../../../src/common/secret.ts";
import type { SmbClientDestination } from "../../../src/edge/destination-config.ts";
import type { PutRequest } from "../../../src/edge/uploader/archive-destination.ts";
import { openCredentialsFile } from "../../../src/edge/uploader/credentials-file.ts";
import { SmbArchive } from "../../../src/edge/uploader/smb-archive.ts";
import { smbClientArguments } from "../../../src/edge/uploader/smb-arguments.ts";
import { SmbDestination } from "../../../src/edge/uploader/smb-destination.ts";
import { SmbUpload } from "../../../src/edge/uploader/smb-upload.ts";
import { WorkerDestination } from "../../../src/edge/uploader/worker-destination.ts";
import { makeArchive, testArchiveId, writeSegment } from "../../contract/archive-destination.contract.ts";
import { writeLargeSegment } from "../../support/large-segment.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";
import { startSlowProxy } from "../../support/slow-proxy.ts";
import { mountSmallDisk } from "../../support/small-disk.ts";
import { canServeSmb, SmbServer, smbPassword, whyNoSmb } from "../../support/smb-server.ts";
import { testIf } from "../../support/test-if.ts";

type Folder = Awaited<ReturnType<typeof temporaryFolder>>;

/** The archive in the share, and what lies in it. */
let folder: Folder;
let archive: string;
let disk: Awaited<ReturnType<typeof mountSmallDisk>>;
let server: SmbServer;
let large: PutRequest;

const testSmb = testIf(canServeSmb, whyNoSmb);

if (canServeSmb) {
  beforeAll(async () => {
    folder = await temporaryFolder();
    archive = join(folder.path, "videos");
    await makeArchive(archive);
    disk = await mountSmallDisk(2 * 1024 * 1024);
    await makeArchive(disk.path);
    server = await SmbServer.start({ videos: archive, full: disk.path, "ro-videos": archive });
    const [sourcePath, identity] = await writeLargeSegment(folder.path);
    large = { sourcePath, identity, expectedArchiveId: testArchiveId };
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await disk[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });
}

const runFolder = () => join(folder.path, "run");

function open(config: Partial<SmbClientDestination> = {}, password = smbPassword): SmbDestination {
  return new SmbDestination({
    config: { ...server.destination("videos"), ...config },
    password: async () => new Secret(password),
    runFolder: runFolder(),
  });
}

function openWorker(stallMs: number, config: Partial<SmbClientDestination> = {}): WorkerDestination {
  return new WorkerDestination({
    command: [process.execPath, join(import.meta.dir, "../../../src/edge/main.ts"), "archive-worker"],
    destination: { ...server.destination("videos"), ...config },
    runFolder: runFolder(),
    stallMs,
    logger: createLogger("uploader"),
  });
}

async function smallRequest(): Promise<PutRequest> {
  const [sourcePath, identity] = await writeSegment(folder.path);
  return { sourcePath, identity, expectedArchiveId: testArchiveId };
}

const filesIn = async (root: string) =>
  (await readdir(root, { recursive: true })).filter((name) => /\.(?:mp4|partial)$/.test(name)).sort();

/** Command lines of the smbclients of these tests. */
function clientsNow(): string[] {
  const lineOf = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      // It ended while we looked.
      return "";
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(lineOf)
    .filter((line) => line.includes("smbclient\0") && line.includes(folder.path));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(20);
}

describe("what cannot be reached is told apart", () => {
  const cases: [
    what: string,
    config: () => Partial<SmbClientDestination>,
    reason: string,
    password?: string,
  ][] = [
    ["a wrong password", () => ({}), "refused user name or password", "wrong"],
    ["an unknown user", () => ({ username: "nobody-here" }), "refused user name or password"],
    ["a share that is not there", () => ({ share: "films" }), "has no such share"],
    ["a folder that is not there", () => ({ path: "films" }), "has no such folder in the share"],
    ["a port where nobody listens", () => ({ port: 1 }), "refuses connections"],
    ["a folder that is no archive", () => ({ path: "metadata" }), "there is no metadata/archive.json"],
  ];
  for (const [what, config, reason, password] of cases) {
    testSmb(what, async () => {
      const destination = open(config(), password);
      expect(await destination.check()).toEqual({ ok: false, reason: expect.stringContaining(reason) });
      await expect(destination.put(await smallRequest())).rejects.toMatchObject({ code: "unavailable" });
      expect(await filesIn(archive)).toEqual([]);
    });
  }
});

testSmb("a read-only share is said to be one, and the video is not taken for commands", async () => {
  await expect(open({ share: "ro-videos" }).put(large)).rejects.toMatchObject({
    code: "io",
    details: { side: "archive", nt_status: expect.stringMatching(/ACCESS_DENIED|WRITE_PROTECTED/) },
  });
  const planted = join(folder.path, "planted");
  const { path: credentialsFile } = await credentials();
  const command = 'get "metadata/archive.json" -; put - "x.partial"';
  const argv = smbClientArguments(server.destination("ro-videos"), { credentialsFile, command });
  const upload = await SmbUpload.start(argv, await readFile(join(archive, "metadata/archive.json")));
  const bytes = Buffer.from(`\n!touch ${planted}\n`.repeat(1000));
  await upload.write(bytes, 0, bytes.length).catch(() => undefined);
  await expect(upload.sync()).rejects.toMatchObject({ code: "io" });
  expect(await Bun.file(planted).exists()).toBe(false);
});

async function credentials(): Promise<{ path: string }> {
  const path = join(folder.path, "credentials");
  await writeFile(path, `username=root\npassword=${smbPassword}\n`, { mode: 0o600 });
  return { path };
}

testSmb("an archive that was swapped after it was looked at gets nothing of the video", async () => {
  const { path: credentialsFile } = await credentials();
  const command = 'get "metadata/archive.json" -; put - "swapped.partial"';
  const argv = smbClientArguments(server.destination("videos"), { credentialsFile, command });
  const identity = await readFile(join(archive, "metadata/archive.json"));
  identity[identity.indexOf("aa")] = "b".charCodeAt(0);
  await expect(SmbUpload.start(argv, identity)).rejects.toMatchObject({ code: "unavailable" });
  const left = await stat(join(archive, "swapped.partial")).catch(() => undefined);
  expect(left?.size ?? 0).toBe(0);
  await rm(join(archive, "swapped.partial"), { force: true });
});

testSmb("a full share gets no half file, and the segment when there is room", async () => {
  const destination = open({ share: "full" });
  await expect(destination.put(large)).rejects.toMatchObject({
    code: "io",
    details: { side: "archive", errno: "ENOSPC" },
  });
  expect(await filesIn(disk.path)).toEqual([]);
  const request = await smallRequest();
  expect(await destination.put(request)).toMatchObject({ alreadyThere: false });
  expect(await filesIn(disk.path)).toEqual([archivePathOf(request.identity)]);
});

testSmb(
  "the password is in no command line, and in a file for us alone only while it is needed",
  async () => {
    await mkdir(runFolder(), { recursive: true });
    const left = join(runFolder(), "smb-credentials-999999999-left");
    await writeFile(left, "password=x");
    let seen: { lines: string[]; modes: number[] } | undefined;
    await open().put(large, {
      // Without a pause, and before all of it is handed over: smbclient waits meanwhile.
      onProgress: () => {
        seen ??= {
          lines: clientsNow(),
          modes: readdirSync(runFolder()).map((name) => statSync(join(runFolder(), name)).mode & 0o777),
        };
      },
    });
    const { lines, modes } = seen ?? { lines: [], modes: [] };
    expect(lines.length).toBeGreaterThan(0);
    expect(modes.length).toBeGreaterThan(0);
    expect(lines.join("\n")).not.toContain(smbPassword);
    expect(modes.every((mode) => mode === 0o600)).toBe(true);
    expect(await readdir(runFolder())).toEqual([]);
    await rm(join(archive, "cam01"), { recursive: true });
  },
);

testSmb("a file that somebody still has open gets its name, or is removed, once it is closed", async () => {
  const config = server.destination("videos");
  const account = { username: config.username, domain: config.domain, password: new Secret(smbPassword) };
  await using credentials = await openCredentialsFile(runFolder(), account);
  await using share = await SmbArchive.open({ config, credentialsFile: credentials.path }, testArchiveId);
  const path = join(archive, "held");
  for (const change of [() => share.session.rename("held", "renamed"), () => share.session.remove("held")]) {
    await writeFile(path, new Uint8Array(2_000_000));
    const reader = await share.openFile("held", 2_000_000);
    // The rest does not fit into the pipe: the server has it open until we are gone.
    await reader.readInto(new Uint8Array(1000), 0);
    const changing = change();
    expect(await Promise.race([changing, Bun.sleep(300).then(() => "waits")])).toBe("waits");
    await reader[Symbol.asyncDispose]();
    await changing;
    expect(await Bun.file(path).exists()).toBe(false);
  }
  await rm(join(archive, "renamed"));
});

testSmb(
  "a server that dies in the middle leaves no half file, and gets the whole when it is back",
  async () => {
    const destination = open();
    let killed: Promise<void> | undefined;
    const put = destination.put(large, {
      onProgress: () => {
        killed ??= server.kill();
      },
    });
    await expect(put).rejects.toMatchObject({ code: "io", details: { side: "archive" } });
    await killed;
    expect((await filesIn(archive)).filter((name) => name.endsWith(".mp4"))).toEqual([]);
    expect(await destination.check()).toMatchObject({ ok: false });
    await server.run();
    const { filePath } = await destination.put(large);
    expect(await filesIn(archive)).toEqual([filePath]);
    await rm(join(archive, dirname(filePath)), { recursive: true });
  },
);

testSmb("a server that is stopped costs a worker, which takes its smbclient with it", async () => {
  using destination = openWorker(2000);
  expect(await destination.check()).toMatchObject({ ok: true });
  let stopped: Promise<void> | undefined;
  const put = destination.put(large, {
    onProgress: () => {
      stopped ??= server.signal("SIGSTOP");
    },
  });
  await expect(put).rejects.toMatchObject({ code: "timeout" });
  await stopped;
  expect(destination.abandonedWorkers).toBe(1);
  await until(() => clientsNow().length === 0);
  await server.signal("SIGCONT");
  const { filePath } = await destination.put(large);
  expect((await filesIn(archive)).filter((name) => name.endsWith(".mp4"))).toEqual([filePath]);
  await rm(join(archive, dirname(filePath)), { recursive: true });
});

testSmb("a slow share is slow, and not stuck", async () => {
  await using proxy = await startSlowProxy(server.port, 2 * 1024 * 1024);
  using destination = openWorker(6000, { port: proxy.port });
  const startedMs = performance.now();
  const result = await destination.put(large);
  // Longer than a worker may go without progress.
  expect(performance.now() - startedMs).toBeGreaterThan(6000);
  expect(result).toMatchObject({ alreadyThere: false });
  expect(destination.abandonedWorkers).toBe(0);
  await rm(join(archive, dirname(result.filePath)), { recursive: true });
});

test("a password that a credentials file cannot hold is refused", async () => {
  await using own = await temporaryFolder();
  for (const password of ["two\nlines", " blank first"]) {
    const destination = new SmbDestination({
      config: {
        ...({ type: "smb", mode: "client", server: "127.0.0.1", share: "x", path: "" } as const),
        ...({ username: "x", password: { env: "X" }, protocol: "SMB3", verify: "size" } as const),
      },
      password: async () => new Secret(password),
      runFolder: own.path,
    });
    expect(await destination.check()).toEqual({ ok: false, reason: expect.stringContaining("must not") });
  }
  expect(await readdir(own.path)).toEqual([]);
});

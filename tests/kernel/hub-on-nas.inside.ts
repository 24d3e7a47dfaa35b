import { expect, test } from "bun:test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { archiveTestRun } from "../support/archived-run.ts";
import { NfsServer } from "../support/nfs-server.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { sampleVideo } from "../support/sample-videos.ts";
import { SmbServer, smbPassword } from "../support/smb-server.ts";
import { openTestHub } from "../support/test-hub.ts";

const startTimeMs = Date.UTC(2025, 8, 23, 6, 30);

/** A server of `archive`, and how its people mount it: with the kernel's defaults, so what hangs does so for long. */
const technologies: [string, (archive: string, folder: string) => Promise<Nas>][] = [
  ["NFS", startNfs],
  ["SMB", startSmb],
];
interface Nas extends AsyncDisposable {
  /** For `mount`. */
  argv: string[];
  signal(name: NodeJS.Signals): Promise<void> | void;
}

async function startNfs(archive: string): Promise<Nas> {
  const server = await NfsServer.start({ "/videos": archive });
  const argv = ["-t", "nfs4", "-o", `port=${server.port}`, "127.0.0.1:/videos"];
  return Object.assign(server, { argv });
}

async function startSmb(archive: string, folder: string): Promise<Nas> {
  const server = await SmbServer.start({ videos: archive });
  const credentials = join(folder, "credentials");
  await writeFile(credentials, `username=${server.username}\npassword=${smbPassword}\n`, { mode: 0o600 });
  const argv = ["-t", "cifs", "-o", `port=${server.port},credentials=${credentials}`, "//127.0.0.1/videos"];
  return {
    argv,
    signal: (name) => server.signal(name),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

for (const [technology, start] of technologies) {
  test(`a hub on ${technology} bears a server that is stopped, and plays again by itself`, async () => {
    await using folder = await temporaryFolder();
    const [archive, mounted] = [join(folder.path, "archive"), join(folder.path, "mounted")];
    await mkdir(archive);
    await mkdir(mounted);
    const videos = await archiveTestRun(archive, {
      ...{ startTimeMs, secondsPerVideo: [1, 1, 1, 1, 1], size: "64x48" },
    });
    await using nas = await start(archive, folder.path);
    const { exitCode, stderrTail } = await runChild({
      argv: ["mount", ...nas.argv, mounted],
      timeoutMs: 60_000,
    });
    expect([exitCode, stderrTail]).toEqual([0, ""]);
    await using hub = await openTestHub({ config: { archive_path: mounted } });
    await hub.announce(videos);

    const at = (seconds: number) => new Date(startTimeMs + seconds * 1000).toISOString();
    // The kernel remembers what was read, so each is of a file that nobody asked for yet.
    const media = (first: number) => [
      `/api/videos/${videos[first]?.videoId}/stream`,
      `/api/videos/${videos[first + 1]?.videoId}/thumbnail`,
      `/api/cameras/cam01/clip.mp4?from=${at(first)}&to=${at(first + 2)}`,
    ];
    const answersOf = (paths: readonly string[]) =>
      Promise.all(
        paths.map(async (path) => {
          const response = await hub.get(path);
          await response.arrayBuffer();
          return [response.status, response.headers.get("retry-after")];
        }),
      );
    expect(await answersOf(media(0))).toEqual(media(0).map(() => [200, null]));

    await nas.signal("SIGSTOP");
    const waiting = answersOf(media(2));
    expect((await hub.get("/api/videos")).status).toBe(200);
    expect((await hub.get("/api/health")).status).toBe(200);
    expect((await hub.announce([sampleVideo({ cameraId: "cam09" })])).status).toBe(200);
    expect(await hub.signIn()).toStartWith("livecam_session=");
    expect(await waiting).toEqual(media(2).map(() => [503, "5"]));
    const row = (await (await hub.get(`/api/videos/${videos[2]?.videoId}`)).json()) as { status: string };
    expect(row.status).toBe("available");

    await nas.signal("SIGCONT");
    while ((await hub.get(media(2)[0]!)).status !== 200) await Bun.sleep(200);
    while ((await answersOf(media(2))).some(([status]) => status !== 200)) await Bun.sleep(200);
    await runChild({ argv: ["umount", "--lazy", mounted], timeoutMs: 60_000 });
  }, 240_000);
}

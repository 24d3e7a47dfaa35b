import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runChild, startChild } from "../../src/common/child-process.ts";
import { formatSegmentIdentity } from "../../src/common/segment-identity.ts";
import type { Video } from "../../src/hub/db/catalog.ts";

const main = resolve(import.meta.dir, "../../src/hub/main.ts");

export interface RunningHub extends AsyncDisposable {
  url: string;
  archive: string;
  /** Key of a node, and of a program that reads. */
  nodeKey: string;
  clientKey: string;
  login: { username: string; password: string };
  /** POST with the node's key; throws on anything but 2xx. */
  post(path: string, body: unknown): Promise<unknown>;
  announce(videos: readonly Video[]): Promise<unknown>;
}

/** The real hub as its own process, over an empty archive and data folder, with one user and two keys. */
export async function startHub(): Promise<RunningHub> {
  const folder = await mkdtemp(join(tmpdir(), "livecam-hub-"));
  const data = join(folder, "data");
  const archive = join(folder, "videos");
  await mkdir(archive);
  const login = { username: "ada", password: crypto.randomUUID() };
  await writeFile(join(folder, "password"), login.password, { mode: 0o600 });

  // From another folder than the sources: nothing may depend on where a program is started.
  const run = async (...args: string[]) => {
    const exit = await runChild({
      argv: [process.execPath, main, ...args, "--data", data],
      cwd: folder,
      timeoutMs: 60_000,
    });
    if (exit.exitCode !== 0) throw new Error(exit.stderrTail);
    return new TextDecoder().decode(exit.stdout);
  };
  await run("user", "add", login.username, "--role", "admin", "--password-file", join(folder, "password"));
  const keyOf = async (...args: string[]) =>
    JSON.parse(await run("key", "create", "--json", ...args)).key as string;
  const nodeKey = await keyOf("--node", "node01");
  const clientKey = await keyOf("--client", "tests");

  const { promise: ready, resolve: isReady, reject: isDead } = Promise.withResolvers<string>();
  const child = startChild({
    argv: [process.execPath, main, "serve", "--listen", "127.0.0.1:0", "--data", data, "--archive", archive],
    cwd: folder,
    onStderrLine: (line) => {
      const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
      if (address !== undefined) isReady(address);
    },
  });
  void child.exited.then(({ stderrTail }) => isDead(new Error(`the hub ended: ${stderrTail}`)));
  const url = await ready;

  // An archive is given its identity while it is still empty.
  const isArchiveReady = async () => {
    const response = await fetch(`${url}/api/health`, { headers: { authorization: `Bearer ${clientKey}` } });
    const health = (await response.json()) as { parts: { archive: { state: string } } };
    return health.parts.archive.state === "ok";
  };
  while (!(await isArchiveReady())) await Bun.sleep(50);

  const post = async (path: string, body: unknown) => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${nodeKey}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    ...{ url, archive, nodeKey, clientKey, login, post },
    announce: (videos) =>
      post("/api/videos/announce", {
        protocol_version: 1,
        videos: videos.map((video) => ({
          ...formatSegmentIdentity(video),
          file_path: video.filePath,
          file_size: video.fileSizeBytes,
          file_sha256: video.fileSha256,
        })),
      }),
    async [Symbol.asyncDispose]() {
      child.stop();
      await child.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { expect, test } from "bun:test";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { runChild } from "../../src/common/child-process.ts";
import { EdgeProcess, makeEdgeSite } from "../support/edge-process.ts";
import { startFaultProxy } from "../support/fault-proxy.ts";
import { type HubProcess, startHubProcess } from "../support/hub-process.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { hubCommand } from "../support/test-hub.ts";

test("a hub that is put back to an older catalog is told what it lacks, once, also what is evicted; so is one that starts anew", async () => {
  await using folder = await temporaryFolder();
  await using proxy = await startFaultProxy();
  const data = join(folder.path, "data");
  const archive = join(folder.path, "videos");
  await mkdir(archive);
  const keyOf = async (...args: string[]) => {
    const argv = [...hubCommand, "key", "create", "--json", ...args, "--data", data];
    const { stdout, stderrTail, exitCode } = await runChild({ argv, timeoutMs: 60_000 });
    if (exitCode !== 0) throw new Error(stderrTail);
    return JSON.parse(new TextDecoder().decode(stdout)).key as string;
  };
  const nodeKey = await keyOf("--node", "node01");
  const clientKey = await keyOf("--client", "test");
  const backUp = (name: string) => cp(data, join(folder.path, name), { recursive: true });
  const putBack = async (name: string) => {
    await rm(data, { recursive: true });
    await cp(join(folder.path, name), data, { recursive: true });
  };
  await backUp("new");

  let found: string[] = [];
  let hub: HubProcess | undefined;
  /** `look` is called before the node can reach it. */
  const start = async (look: () => Promise<void> = async () => undefined) => {
    hub = await startHubProcess({ data, archive });
    await look();
    proxy.port = Number(new URL(hub.url).port);
  };
  const stop = async (signal: NodeJS.Signals) => {
    proxy.port = undefined;
    hub?.child.kill(signal);
    await hub?.child.exited;
  };
  const pathsOf = async () => {
    const response = await fetch(`${hub?.url}/api/videos?limit=500`, {
      headers: { authorization: `Bearer ${clientKey}` },
    });
    const { videos } = (await response.json()) as { videos: { file_path: string }[] };
    return videos.map(({ file_path }) => file_path).sort();
  };
  const untilAllAreFound = async (paths: readonly string[], edge: EdgeProcess) => {
    const deadline = AbortSignal.timeout(90_000);
    for (found = []; !paths.every((path) => found.includes(path)); await Bun.sleep(50)) {
      if (deadline.aborted) throw new Error(`only ${found} of ${paths}:\n${edge.tail()}\n${hub?.log()}`);
      found = await pathsOf();
    }
  };
  await start();

  const source = { type: "test", width: 192, height: 108, fps: 20, bitrate: 60_000, keyframe_seconds: 0.25 };
  const site = await makeEdgeSite(folder.path, {
    ...{ hubUrl: proxy.url, apiKey: nodeKey },
    cameras: [{ id: "cam01", source }],
    // What is acknowledged leaves the node at once.
    config: { system: { spool_max_bytes: 1 } },
  });
  // The hub gives an empty archive an identity of its own.
  await rm(join(archive, "metadata"), { recursive: true, force: true });
  const edge = new EdgeProcess(site);
  try {
    const acknowledged = async (count: number) => {
      const before = edge.log.filter(({ message }) => message === "acknowledged").length;
      await edge.logged("acknowledged", before + count);
    };
    await acknowledged(2);
    await stop("SIGTERM");
    await backUp("yesterday");
    await start();
    await acknowledged(3);
    const known = await pathsOf();

    await stop("SIGKILL");
    await putBack("yesterday");
    await start(async () => expect((await pathsOf()).length).toBeLessThan(known.length));
    await untilAllAreFound(known, edge);

    await acknowledged(1);
    const all = await pathsOf();
    await stop("SIGKILL");
    await putBack("new");
    await start(async () => expect(await pathsOf()).toEqual([]));
    await untilAllAreFound(all, edge);
    expect(await edge.stop()).toBe(0);
    // Nothing twice, nothing that is not there.
    const files = (await readdir(archive, { recursive: true }))
      .filter((name) => name.endsWith(".mp4"))
      .sort();
    expect(await pathsOf()).toEqual(files);
    const conflicts = edge.log.filter(({ message }) => message.startsWith("the hub now has something else"));
    expect(conflicts).toEqual([]);
  } finally {
    edge.kill("SIGKILL");
    await edge.exited;
    await stop("SIGKILL");
  }
}, 240_000);

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runToEnd } from "../../scripts/service.ts";

const root = resolve(import.meta.dir, "../..");
let data: string;
let testEnds: AbortController;
const demos: Bun.Subprocess[] = [];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "livecam-demo-test-"));
  testEnds = new AbortController();
});

afterEach(async () => {
  testEnds.abort();
  for (const demo of demos.splice(0)) {
    demo.kill("SIGKILL");
    await demo.exited;
  }
  // Their services get a SIGTERM of their own then.
  while (processesOfDemo().length > 0) await Bun.sleep(50);
  await rm(data, { recursive: true, force: true });
});

/** Every living process that descends from a demo of this test, by a mark in its environment. */
function processesOfDemo(): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "latin1").includes(`DEMO_TEST=${data}`)
      );
    } catch {
      return false;
    }
  });
}

function startDemo(...options: string[]) {
  const argv = [
    join(root, "scripts/demo"),
    "--data",
    data,
    "--cameras",
    "2",
    "--segment-seconds",
    "2",
    ...options,
  ];
  const demo = Bun.spawn(argv, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    // A group of its own, as a terminal gives to a command: Ctrl-C goes to the whole group.
    detached: true,
    env: { ...process.env, DEMO_TEST: data },
  });
  demos.push(demo);
  return { demo, stderr: demo.stderr.text(), interrupt: () => process.kill(-demo.pid, "SIGINT") };
}

/** The lines that say where to look, by their first word. */
async function readAnnouncement(
  demo: Bun.Subprocess<"ignore", "pipe", "pipe">,
): Promise<Record<string, string>> {
  const lines: Record<string, string> = {};
  let text = "";
  for await (const chunk of demo.stdout) {
    text += Buffer.from(chunk).toString();
    for (const [, name = "", value = ""] of text.matchAll(/^(Address|Login|API key|Archive): (.+)\n/gm))
      lines[name] = value;
    if ("Archive" in lines) break;
  }
  return lines;
}

async function videosOf(lines: Record<string, string>): Promise<{ camera_id: string; video_id: string }[]> {
  const headers = { authorization: `Bearer ${lines["API key"]}` };
  const response = await fetch(`${lines.Address}api/videos?limit=100`, { headers });
  expect(response.status).toBe(200);
  return ((await response.json()) as { videos: { camera_id: string; video_id: string }[] }).videos;
}

async function untilBothCamerasHaveVideos(lines: Record<string, string>) {
  for (const { signal } = testEnds; ; await Bun.sleep(100)) {
    signal.throwIfAborted();
    const videos = await videosOf(lines);
    if (new Set(videos.map((video) => video.camera_id)).size === 2) return videos;
  }
}

describe("scripts/demo", () => {
  test("records two cameras, says where to look, and ends cleanly; a second one goes on with the folder", async () => {
    const first = startDemo("--port", "0");
    const lines = await readAnnouncement(first.demo);
    expect(lines.Address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(lines.Login).toMatch(/^demo \/ \S{12,}$/);
    expect(lines.Archive).toBe(join(data, "archive"));
    const recorded = await untilBothCamerasHaveVideos(lines);

    const [, password = ""] = lines.Login?.split(" / ") ?? [];
    const login = await fetch(`${lines.Address}login`, {
      method: "POST",
      headers: { origin: new URL(lines.Address ?? "").origin },
      body: new URLSearchParams({ username: "demo", password, next: "/" }),
      redirect: "manual",
    });
    expect(login.status).toBe(303);

    first.interrupt();
    expect(await first.demo.exited).toBe(0);
    expect(await first.stderr).not.toContain("was killed");
    while (processesOfDemo().length > 0) await Bun.sleep(50);
    expect(await readdir(join(data, "spool", "recording"))).toEqual([]);
    await runToEnd([process.execPath, join(root, "src/hub/main.ts"), "verify", lines.Archive ?? ""]);

    const second = startDemo("--port", "0");
    const again = await readAnnouncement(second.demo);
    expect({ ...again, Address: "" }).toEqual({ ...lines, Address: "" });
    const ids = (await videosOf(again)).map((video) => video.video_id);
    expect(ids).toEqual(expect.arrayContaining(recorded.map((video) => video.video_id)));
    second.demo.kill("SIGTERM");
    expect(await second.demo.exited).toBe(0);
    while (processesOfDemo().length > 0) await Bun.sleep(50);

    for (const name of ["hub.log", "edge.log"]) {
      const log = await Bun.file(join(data, "logs", name)).text();
      expect(log).not.toContain(password);
      expect(log).not.toContain(lines["API key"] as string);
    }
  });

  test("says so when the port is taken", async () => {
    using taken = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
    const { demo, stderr } = startDemo("--port", String(taken.port));
    expect(await demo.exited).toBe(1);
    expect(await stderr).toContain(`port ${taken.port} is taken`);
    expect(await readdir(data)).toEqual([]);
  });

  test("ends with the log's end when a program of it dies", async () => {
    const { demo, stderr } = startDemo("--port", "0");
    await readAnnouncement(demo);
    const edge = processesOfDemo().find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("src/edge/main.ts\0run"),
    );
    expect(edge).toBeDefined();
    process.kill(Number(edge), "SIGKILL");
    expect(await demo.exited).toBe(1);
    expect(await stderr).toContain("the edge ended by itself (SIGKILL)");
    expect(await stderr).toContain(join(data, "logs", "edge.log"));
    // What the edge had started ends when it finds its pipes closed.
    while (processesOfDemo().length > 0) await Bun.sleep(50);
  });
});

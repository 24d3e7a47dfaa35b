import { expect, test } from "bun:test";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runDoctor } from "../../src/edge/cli-doctor.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import type { Finding } from "../../src/edge/doctor/finding.ts";
import { testArchiveId } from "../contract/archive-destination.contract.ts";
import { EdgeProcess, type EdgeSite, makeEdgeSite } from "../support/edge-process.ts";
import { fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

const entryFile = join(import.meta.dir, "../../src/edge/main.ts");
const source = { type: "test", width: 320, height: 180, fps: 10, bitrate: 100_000, keyframe_seconds: 0.5 };
const testCamera = { id: "cam01", source };

async function setUp(
  options: { apiKey?: string; cameras?: Record<string, unknown>[]; upload?: object; system?: object } = {},
) {
  const { apiKey = fakeHubKey, cameras = [testCamera], upload = {}, system = {} } = options;
  const folder = await temporaryFolder();
  const hub = startFakeHub();
  hub.archiveId = testArchiveId;
  // The clock of a test machine is its own affair.
  const config = { upload, system: { clock: "trusted", ...system } };
  const site = await makeEdgeSite(folder.path, { hubUrl: hub.url, apiKey, cameras, config });
  return {
    hub,
    site,
    async [Symbol.asyncDispose]() {
      await hub[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function examine({ configPath }: EdgeSite, program = entryFile) {
  const text: string[] = [];
  const out = { write: (part: string) => text.push(part) };
  const exitCode = await runDoctor({ config: configPath, json: true, env: {}, entryFile: program, out });
  const { ok, findings } = JSON.parse(text.join("")) as { ok: boolean; findings: Finding[] };
  expect(exitCode).toBe(ok ? 0 : 1);
  const verdict = (check: string) => findings.find((finding) => finding.check === check)?.verdict;
  const message = (check: string) => findings.find((finding) => finding.check === check)?.message;
  return { ok, findings, verdict, message };
}

test("a node that is fit: everything is looked at, and nothing is left behind", async () => {
  await using at = await setUp();
  const { ok, findings, message } = await examine(at.site);
  expect(findings.filter(({ verdict }) => verdict === "fail")).toEqual([]);
  expect(ok).toBe(true);
  expect(findings.map(({ check }) => check).filter((check) => check !== "power")).toEqual([
    ...["edge", "ffmpeg", "clock", "camera cam01", "spool disk", "spool room", "hub"],
    ...["archive", "archive writes"],
  ]);
  expect(message("camera cam01")).toMatch(
    /^320x180 avc1\.\w+, 10\.0 fps, .* \(test capture, \d+ fragments\)$/,
  );
  expect(at.hub.registrations).toMatchObject([{ node_id: "node01", cameras: [{ camera_id: "cam01" }] }]);
  expect(at.hub.heartbeats).toEqual([]);
  expect(await readdir(at.site.archive)).toEqual(["metadata"]);
  expect((await readdir(at.site.folder)).sort()).toEqual(["edge.json", "key", "videos"]);
}, 60_000);

test("a dead camera, a wrong key and an archive that is not there are all told at once", async () => {
  const dead = { id: "cam02", source: { type: "v4l2", device: "/dev/video-none" } };
  await using at = await setUp({
    apiKey: "lck_wrong",
    cameras: [dead],
    system: { spool_path: "/dev/null/spool" },
  });
  await rm(at.site.archive, { recursive: true });
  await mkdir(at.site.archive);
  const { ok, verdict, message } = await examine(at.site);
  expect(ok).toBe(false);
  for (const check of ["camera cam02", "hub", "archive", "spool disk"]) expect(verdict(check)).toBe("fail");
  expect(message("archive")).toContain("no archive is mounted");
  expect(message("hub")).toContain("401");
  expect(verdict("ffmpeg")).toBe("ok");
  expect(await readdir(at.site.archive)).toEqual([]);
}, 60_000);

test("an archive that hangs is given up after its time, and the rest is told", async () => {
  await using at = await setUp({ upload: { stall_seconds: 1 } });
  const hanging = join(at.site.folder, "hanging.ts");
  await writeFile(hanging, "process.on('message', () => undefined);");
  const { verdict, message } = await examine(at.site, hanging);
  expect(message("archive")).toContain("made no progress for 1 s");
  expect([verdict("archive"), verdict("hub"), verdict("camera cam01")]).toEqual(["fail", "ok", "ok"]);
}, 60_000);

test("beside a running edge its cameras are asked for, not taken, and its spool is not touched", async () => {
  await using at = await setUp();
  const edge = new EdgeProcess(at.site);
  try {
    await edge.logged("acknowledged");
    const client = new ControlClient(at.site.socket);
    const [before] = (await client.status()).cameras;
    const { ok, message } = await examine(at.site);
    expect(ok).toBe(true);
    expect(message("edge")).toContain("node01 runs since");
    expect(message("camera cam01")).toContain("(running edge)");
    const after = await client.status();
    expect(after.cameras[0]).toMatchObject({ run_started_at: before?.run_started_at ?? "", restarts: 0 });
    expect(after.spool).toMatchObject({ quarantined_segments: 0, lost_segments: 0 });
    expect(after.error_counts).toEqual({});
    expect(await edge.stop()).toBe(0);
  } finally {
    edge.kill("SIGKILL");
    await edge.exited;
  }
}, 60_000);

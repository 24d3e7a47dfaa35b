import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runVerify, type VerifyCommandOptions } from "../../src/common/verify-command.ts";
import { archiveBytes, recipes, recordStream, splitStream, spoolBytes } from "./mp4/sample-streams.ts";

let root: string;
let video: Uint8Array;
let spool: Uint8Array;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "livecam-verify-command-"));
  const { init, fragments } = splitStream(await recordStream(root, recipes["H.264 baseline"]!));
  video = archiveBytes(init, fragments);
  spool = spoolBytes(init, fragments);
}, 60_000);
afterAll(() => rm(root, { recursive: true, force: true }));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(root, "archive-"));
});

async function put(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

const damaged = () => {
  const bytes = Uint8Array.from(video);
  bytes[bytes.length - 100]! ^= 4;
  return bytes;
};

async function verify(paths: string[], options: Partial<VerifyCommandOptions> = {}) {
  let out = "";
  let err = "";
  const exitCode = await runVerify(paths, {
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    ...options,
  });
  return { exitCode, out, err, lines: out.trimEnd().split("\n") };
}

test("a whole file: 0, and one line that says so", async () => {
  const path = await put("a.mp4", video);
  expect(await verify([path])).toMatchObject({
    ...{ exitCode: 0, err: "" },
    lines: [`ok    ${path} (4.000 s)`, "1 file: 1 whole, 0 wrong"],
  });
});

test("a spool segment is told from an archived file", async () => {
  const path = await put("a.mp4", spool);
  expect((await verify([path])).lines[0]).toBe(
    `ok    ${path} (4.000 s), not archived yet: there is no hash to check`,
  );
});

test("a folder: every video in it and below, nothing else", async () => {
  await put("cam01/2025-09-23/b.mp4", video);
  await put("cam01/2025-09-23/a.mp4", video);
  await put("cam02/c.MP4", damaged());
  await put("cam02/.nfs0000000000000001.mp4", damaged());
  await put("cam02/.hidden/d.mp4", damaged());
  await put("cam02/c.mp4.partial", damaged());
  await put("metadata/thumbnails/a.jpg", damaged());
  const { exitCode, lines } = await verify([folder]);
  expect(exitCode).toBe(1);
  expect(lines.map((line) => line.replace(folder, "").split(" (")[0]!.split(":")[0])).toEqual([
    "ok    /cam01/2025-09-23/a.mp4",
    "ok    /cam01/2025-09-23/b.mp4",
    "WRONG /cam02/c.MP4",
    "3 files",
  ]);
  expect(lines[2]).toContain("not what was recorded");
  expect(lines[3]).toBe("3 files: 2 whole, 1 wrong");
});

test("quiet says only what is wrong", async () => {
  const whole = await put("a.mp4", video);
  expect(await verify([whole], { quiet: true })).toMatchObject({ exitCode: 0, out: "", err: "" });
  const wrong = await put("b.mp4", damaged());
  const { exitCode, lines } = await verify([whole, wrong], { quiet: true });
  expect(exitCode).toBe(1);
  expect(lines.length).toBe(2);
  expect(lines[0]).toStartWith(`WRONG ${wrong}: the video is not what was recorded`);
});

test("JSON: one object per line, in the names of the wire", async () => {
  const whole = await put("a.mp4", video);
  const wrong = await put("b.mp4", damaged());
  const { exitCode, lines } = await verify([whole, wrong], { json: true });
  expect(exitCode).toBe(1);
  const [first, second, summary] = lines.map((line) => JSON.parse(line));
  expect(first).toMatchObject({
    ...{ type: "file", path: whole, kind: "archive", ok: true, problems: [] },
    ...{ size_bytes: video.length, duration_ms: 4000, file_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    identity: { camera_id: "cam01", start_time: "2025-09-23T06:30:00.000Z" },
  });
  expect(second).toMatchObject({ ok: false, problems: [{ code: "recorded_hash" }] });
  expect(summary).toEqual({ type: "summary", files: 2, wrong: 1, size_bytes: video.length * 2 });
});

describe("what is in the way", () => {
  test("links, pipes and other things named .mp4 are wrong, and nothing hangs", async () => {
    const target = await put("outside/real.mp4", video);
    await mkdir(join(folder, "in"));
    await symlink(target, join(folder, "in/link.mp4"));
    Bun.spawnSync(["mkfifo", join(folder, "in/pipe.mp4")]);
    await mkdir(join(folder, "in/folder.mp4"));
    const { exitCode, lines } = await verify([join(folder, "in")]);
    expect(exitCode).toBe(1);
    expect(lines).toEqual([
      `WRONG ${folder}/in/link.mp4: a symbolic link, which is not followed`,
      `WRONG ${folder}/in/pipe.mp4: not a plain file`,
      "2 files: 0 whole, 2 wrong",
    ]);
    // Who names a link means what it points at.
    expect((await verify([join(folder, "in/link.mp4")])).exitCode).toBe(0);
  });

  test("names cannot write to the terminal", async () => {
    const path = await put("a\u001b[2J\u202e\nok b.mp4", damaged());
    const { out } = await verify([path]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the point
    expect(out).not.toMatch(/[\u001b\u202e]/);
    expect(out.trimEnd().split("\n").length).toBe(2);
  });
});

describe("bad usage is 2", () => {
  test("no path", async () => {
    expect(await verify([])).toMatchObject({ exitCode: 2, out: "" });
  });

  test("a path that is not there, before anything is read", async () => {
    const whole = await put("a.mp4", video);
    const { exitCode, out, err } = await verify([whole, join(folder, "none.mp4"), join(whole, "below")]);
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toBe(
      `verify: ${folder}/none.mp4 does not exist\nverify: ${folder}/a.mp4/below does not exist\n`,
    );
  });

  test("a folder without videos: perhaps the NAS is not mounted", async () => {
    expect(await verify([folder])).toMatchObject({
      ...{ exitCode: 2, out: "" },
      err: `verify: there are no .mp4 files in ${folder}\n`,
    });
  });
});

test("cancelling ends it with 130", async () => {
  const path = await put("a.mp4", video);
  expect(await verify([path], { signal: AbortSignal.abort() })).toMatchObject({ exitCode: 130, out: "" });
  expect(await verify([folder], { signal: AbortSignal.abort() })).toMatchObject({ exitCode: 130 });
});

test("a terminal sees a bar that goes on and goes away", async () => {
  await put("a.mp4", video);
  await put("b.mp4", Buffer.concat([damaged(), new Uint8Array(3_000_000)]));
  let err = "";
  let nowMs = 0;
  const clock = { wallMs: () => nowMs, monotonicMs: () => (nowMs += 500) };
  const terminal = { write: (text: string) => (err += text), isTTY: true, columns: 200 };
  const { exitCode, out } = await verify([folder], { err: terminal, clock });
  expect(exitCode).toBe(1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is drawn over by control characters
  const drawn = err.split(/\r\u001b\[K/).filter((line) => line !== "");
  expect(drawn.length).toBeGreaterThan(3);
  for (const line of drawn) {
    expect(line).toMatch(
      /^\[[#.]{20}\] +\d+ % {2}\d\/2 files {2}[\d.]+ \w+ of 3\.\d MB {2}[\d.]+ \w+\/s {2}(\d+ s|\?) left( {2}1 wrong)?$/,
    );
  }
  expect(drawn.at(-1)).toContain("100 %  2/2 files");
  expect(err.endsWith("\r\u001b[K")).toBe(true);
  expect(out).not.toContain("\r");
  const plain = await verify([folder], { err: terminal, clock, json: true });
  expect(plain.exitCode).toBe(1);
});

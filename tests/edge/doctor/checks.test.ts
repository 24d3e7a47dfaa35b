import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { AppError } from "../../../src/common/errors.ts";
import { CameraConfig } from "../../../src/edge/config.ts";
import { checkArchive } from "../../../src/edge/doctor/check-archive.ts";
import { type CameraFacts, checkCamera } from "../../../src/edge/doctor/check-camera.ts";
import { checkClock } from "../../../src/edge/doctor/check-clock.ts";
import { checkFfmpeg, neededBy } from "../../../src/edge/doctor/check-ffmpeg.ts";
import { checkHub } from "../../../src/edge/doctor/check-hub.ts";
import { checkPower, checkRpicam } from "../../../src/edge/doctor/check-pi.ts";
import { checkSpool } from "../../../src/edge/doctor/check-spool.ts";
import { formatFinding, warn } from "../../../src/edge/doctor/finding.ts";
import { type ProgramOutput, programOutput } from "../../../src/edge/doctor/program-output.ts";

const camera = (source: object) => v.parse(CameraConfig, { id: "cam01", source });
const sources = (...list: object[]) => list.map((source) => camera(source).source);

/** Programs of another machine, by what they are asked. */
const machine =
  (answers: Record<string, string>): ProgramOutput =>
  async (argv) =>
    answers[argv.join(" ")];

describe("ffmpeg", () => {
  test("of this machine has what every kind of source needs", async () => {
    const all = sources(
      { type: "test", codec: "h265", tone: true },
      { type: "file", path: "/a.mp4" },
      { type: "rtsp", url: "rtsp://cam/1" },
      { type: "v4l2", device: "/dev/video0", audio_device: "hw:1,0" },
      { type: "rpicam" },
    );
    expect(await checkFfmpeg(all, programOutput)).toMatchObject({ verdict: "ok", advice: null });
    expect(neededBy(all).encoders.sort()).toEqual(["aac", "libx264", "libx265"]);
  });

  const listings = {
    "ffprobe -version": "ffprobe version 7.1",
    "ffmpeg -hide_banner -encoders": " V....D libx265              x265\n A....D aac                  AAC\n",
    "ffmpeg -hide_banner -demuxers":
      " D d lavfi           virtual\n D   rtsp            RTSP\n D  concat  x\n",
    "ffmpeg -hide_banner -filters": " T.. scale             V->V       Scale\n",
  };

  test("names what it was built without", async () => {
    const outputOf = machine({ ...listings, "ffmpeg -version": "ffmpeg version 7.1-3 Copyright" });
    const finding = await checkFfmpeg(sources({ type: "test" }), outputOf);
    expect(finding).toMatchObject({ verdict: "fail" });
    expect(finding.message).toContain("7.1-3 was built without the encoder libx264, the filter drawtext");
    expect(await checkFfmpeg(sources({ type: "rtsp", url: "rtsp://cam/1" }), outputOf)).toMatchObject({
      verdict: "ok",
    });
  });

  test.each([
    ["nothing at all", {}, "ffmpeg cannot be started"],
    ["no ffprobe", { "ffmpeg -version": "ffmpeg version 7.1 x" }, "ffprobe cannot be started"],
    ["an old one", { ...listings, "ffmpeg -version": "ffmpeg version 4.4.2-0ubuntu x" }, "too old"],
  ])("%s fails", async (_, answers, message) => {
    const finding = await checkFfmpeg([], machine(answers));
    expect(finding).toMatchObject({ verdict: "fail", message: expect.stringContaining(message) });
  });

  test("a build from git has no number to be too old", async () => {
    const outputOf = machine({ ...listings, "ffmpeg -version": "ffmpeg version N-109468-gd39b34123d x" });
    expect(await checkFfmpeg([], outputOf)).toMatchObject({ verdict: "ok" });
  });
});

describe("a Pi", () => {
  const version = (capabilities: string) =>
    `rpicam-apps build: v1.7.0 54f1ed0fb5e9 21-04-2025 (10:04:22)\n${capabilities}libcamera build: v0.5.0\n`;
  test.each([
    ["full", version("rpicam-apps capabilites: egl:1 qt:1 drm:1 libav:1\n"), "", "ok"],
    ["lite", version("rpicam-apps capabilites: egl:0 qt:0 drm:1 libav:0\n"), "--libav-format", "fail"],
    ["old and full", version(""), "  --libav-format arg  container", "ok"],
    ["old and lite", version(""), "  --codec arg", "fail"],
    ["absent", undefined, "", "fail"],
  ])("%s rpicam-apps", async (_, told, help, verdict) => {
    const answers = { ...(told && { "rpicam-vid --version": told }), "rpicam-vid --help": help };
    expect(await checkRpicam(machine(answers))).toMatchObject({ verdict });
  });

  test.each([
    ["0x0", "ok", "no under-voltage"],
    ["0x50000", "warn", "under-voltage, throttling"],
    ["0x50005", "fail", "right now there is under-voltage, throttling"],
    ["0x80008", "fail", "the soft temperature limit"],
    ["0x20000", "warn", "a capped clock"],
  ])("throttled=%s is %s", async (bits, verdict, message) => {
    const finding = await checkPower(machine({ "vcgencmd get_throttled": `throttled=${bits}\n` }));
    expect(finding).toMatchObject({ verdict, message: expect.stringContaining(message) });
  });

  test("nothing is said of the power of a machine that does not tell", async () => {
    expect(await checkPower(machine({}))).toBeUndefined();
  });
});

describe("clock", () => {
  const now = Date.UTC(2026, 1, 3);
  const facts = { wallMs: now, source: "ntp", isSynced: true, hubWallMs: now - 1000 } as const;
  test.each([
    ["set by NTP", {}, "ok", "set by NTP"],
    ["not set", { isSynced: false }, "warn", "not set by NTP"],
    ["nobody tells", { isSynced: undefined }, "warn", "nothing here tells"],
    ["trusted", { source: "trusted", isSynced: undefined }, "ok", "right without NTP"],
    ["of 1970", { wallMs: 1000 }, "warn", "never set"],
    ["a minute off the hub's", { hubWallMs: now + 60_000 }, "warn", "60 s behind the hub's"],
    ["trusted and off the hub's", { source: "trusted", hubWallMs: now - 60_000 }, "warn", "60 s ahead of"],
    ["beside a hub that has no time", { hubWallMs: 0 }, "ok", "set by NTP"],
  ] as const)("%s", (_, change, verdict, message) => {
    expect(checkClock({ ...facts, ...change })).toMatchObject({
      verdict,
      message: expect.stringContaining(message),
    });
  });
});

describe("spool", () => {
  const facts = {
    ...{ spoolPath: "/spool", path: "/spool", freeBytes: 100e9, roomBytes: 99e9, bitrateBps: 8e6 },
    ...{ bytesPerSecond: 20e6, error: undefined },
  };
  test.each([
    ["quick and large", {}, ["ok", "ok"]],
    ["slower than the cameras", { bytesPerSecond: 0.9e6 }, ["fail", "ok"]],
    ["hardly quick enough", { bytesPerSecond: 3.9e6 }, ["warn", "ok"]],
    ["not writable", { error: "EACCES", bytesPerSecond: undefined }, ["fail", "ok"]],
    ["good for an hour", { roomBytes: 3.6e9 }, ["ok", "warn"]],
    ["full", { roomBytes: -5, bytesPerSecond: undefined }, ["warn", "fail"]],
  ])("%s", (_, change, verdicts) => {
    expect(checkSpool({ ...facts, ...change }).map(({ verdict }) => verdict)).toEqual(verdicts as never);
  });

  test("says how long it survives without the archive", () => {
    const messageOf = (roomBytes: number) => checkSpool({ ...facts, roomBytes })[1]?.message;
    expect(messageOf(76 * 3600 * 1e6)).toContain("survives 3 d 4 h");
    expect(messageOf((5 * 60 + 12) * 60e6)).toContain("survives 5 h 12 min");
    expect(messageOf(40.5 * 60e6)).toContain("survives 40 min");
  });
});

describe("camera", () => {
  const facts: CameraFacts = {
    ...{ error: undefined, seenBy: "test capture", fragments: 3, fps: 30, bitrateBps: 4e6 },
    ...{ picture: "1280x720 avc1.64001f", pace: 1 },
  };
  const usb = camera({ type: "v4l2", device: "/dev/video0", fps: 30 });
  test.each([
    ["as asked", usb, {}, "ok"],
    ["half the frames", usb, { fps: 15 }, "warn"],
    ["slower than time", usb, { pace: 0.6 }, "warn"],
    ["dead", usb, { error: "cannot open" }, "fail"],
    ["a network camera's own rate", camera({ type: "rtsp", url: "rtsp://cam/1" }), { fps: 5 }, "ok"],
    ["one that has just begun", usb, { fps: undefined, pace: undefined }, "ok"],
  ])("%s", (_, config, change, verdict) => {
    const finding = checkCamera(config, { ...facts, ...change });
    expect(finding).toMatchObject({ verdict, check: "camera cam01" });
    expect(finding.advice === null).toBe(verdict === "ok");
  });
});

describe("archive", () => {
  const archive = {
    check: async () => ({ ok: true as const, archiveId: "a", freeBytes: 1e12 }),
    tryWriting: async (_: string | undefined) => undefined,
  };
  const verdicts = async (...args: Parameters<typeof checkArchive>) =>
    (await checkArchive(...args)).map(({ verdict }) => verdict);

  test("the hub's, writable", async () => {
    expect(await verdicts(archive, "a")).toEqual(["ok", "ok"]);
  });

  test("another than the hub's is not written to", async () => {
    const tryWriting = () => Promise.reject(new Error("written to"));
    expect(await verdicts({ ...archive, tryWriting }, "b")).toEqual(["fail"]);
  });

  test("unknown to the hub, nearly full, read-only, away", async () => {
    expect(await verdicts(archive, undefined)).toEqual(["warn", "ok"]);
    const full = { ...archive, check: async () => ({ ok: true as const, archiveId: "a", freeBytes: 1e9 }) };
    expect(await verdicts(full, "a")).toEqual(["warn", "ok"]);
    const readOnly = { ...archive, tryWriting: () => Promise.reject(new AppError("io", "EROFS")) };
    expect(await verdicts(readOnly, "a")).toEqual(["ok", "fail"]);
    const away = { ...archive, check: async () => ({ ok: false as const, reason: "not mounted" }) };
    expect(await checkArchive(away, "a")).toMatchObject([{ verdict: "fail", message: "not mounted" }]);
  });
});

test.each([
  ["unauthorized", "livecam-hub key create"],
  ["forbidden", "not for this node"],
  ["invalid_input", "same release"],
  ["unavailable", "hub runs"],
  ["conflict", "id that no other node has"],
  ["internal", "hub's log"],
] as const)("a hub that answers %s: what to do", async (code, advice) => {
  const facts = await checkHub("http://hub", () => Promise.reject(new AppError(code, "no")));
  expect(facts).toMatchObject({ archiveId: undefined, serverTimeMs: undefined });
  expect(facts.finding).toMatchObject({ verdict: "fail", advice: expect.stringContaining(advice) });
});

test("a finding is a line, and what to do a second", () => {
  expect(formatFinding(warn("clock", "is late", "set it"))).toBe(
    "warn  clock          is late\n                     -> set it\n",
  );
});

import { describe, expect, test } from "bun:test";
import { lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { AppError } from "../../../src/common/errors.ts";
import { createLogger } from "../../../src/common/log.ts";
import { readEdgeSecrets } from "../../../src/edge/config-secrets.ts";
import { ConfigStore } from "../../../src/edge/config-store.ts";
import type { ReloadPlan } from "../../../src/edge/reload/plan-reload.ts";
import { Reloader } from "../../../src/edge/reload/reloader.ts";
import { temporaryFolder } from "../../support/sample-recording.ts";

// biome-ignore lint/suspicious/noExplicitAny: a config file is edited as the data that it is
type Data = any;

async function setUp({ name = "edge.yaml" } = {}) {
  const folder = await temporaryFolder();
  const path = join(folder.path, name);
  const secret = (file: string) => ({ file: join(folder.path, file) });
  for (const file of ["key", "cam02", "metrics", "other"])
    await writeFile(secret(file).file, `${file}-secret`);
  const data: Data = {
    node_id: "node01",
    cameras: [
      { id: "cam01", source: { type: "test", fps: 10 } },
      {
        id: "cam02",
        source: { type: "rtsp", url: "rtsp://cam/1?token=abc", credentials: secret("cam02") },
      },
    ],
    upload: { destination: { type: "path", path: "/mnt/nas" } },
    health: { metrics_listen: "127.0.0.1:9464", metrics_token: secret("metrics") },
    network: { hub_url: "http://hub:8080", api_key: secret("key") },
  };
  const format = (value: Data) =>
    name.endsWith(".json") ? JSON.stringify(value) : `# by hand\n${stringify(value)}`;
  await writeFile(path, format(data), { mode: 0o640 });
  const store = await ConfigStore.load(path);
  const applied: ReloadPlan[] = [];
  const fault: { apply?: Error } = {};
  const reloader = new Reloader({
    ...{ store, env: {}, secrets: await readEdgeSecrets(store.config, {}) },
    apply: async (plan) => {
      applied.push(plan);
      await Bun.sleep(5);
      if (fault.apply) throw fault.apply;
    },
    logger: createLogger("config"),
  });
  reloader.open();
  return {
    ...{ folder: folder.path, path, data, store, reloader, applied, fault, secret, format },
    edited: (edit: (copy: Data) => void) => {
      const copy = structuredClone(data);
      edit(copy);
      return format(copy);
    },
    text: () => readFile(path, "utf8"),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

async function thrown(work: Promise<unknown>): Promise<AppError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const faster = (copy: Data) => {
  copy.cameras[0].source.fps = 20;
};

describe("reload", () => {
  test("puts file and secrets in force; the same again does nothing", async () => {
    await using at = await setUp();
    await writeFile(at.path, at.edited(faster));
    await writeFile(at.secret("cam02").file, "rotated");
    const before = at.store.version;
    const result = await at.reloader.reload();
    expect(result.changes.map(({ path }) => path)).toEqual([
      "cameras.cam01.source.fps",
      "cameras.cam02.source.credentials",
    ]);
    expect(result.version).toBe(at.store.version);
    expect(result.version).not.toBe(before);
    expect(JSON.stringify([result, at.reloader.state()])).not.toContain("rotated");
    expect((await at.reloader.reload()).changes).toEqual([]);
    expect(at.applied).toHaveLength(1);
  });

  test("a secret file that is gone or empty refuses the whole, until it is back", async () => {
    await using at = await setUp();
    await writeFile(at.path, at.edited(faster));
    await writeFile(at.secret("key").file, "");
    const error = await thrown(at.reloader.reload());
    expect(error).toMatchObject({ code: "invalid_config", issues: [{ path: "network.api_key" }] });
    expect(at.store.get("cameras.0.source.fps", 0)).toBe(10);
    expect(at.reloader.state().refusal).toContain("network.api_key: ");
    expect(at.reloader.files()).toContain(at.secret("key").file);
    await writeFile(at.secret("key").file, "key-secret");
    expect((await at.reloader.reload()).changes).toHaveLength(1);
    expect(at.reloader.state().refusal).toBeUndefined();
  });

  test("asked for a hundred times at once, it happens once, and once more for what came meanwhile", async () => {
    await using at = await setUp();
    const first = at.reloader.reload();
    await writeFile(at.path, at.edited(faster));
    const results = await Promise.all(Array.from({ length: 100 }, () => at.reloader.reload()));
    await first;
    expect(at.applied).toHaveLength(1);
    expect(new Set(results).size).toBeLessThanOrEqual(2);
    expect(at.store.get("cameras.0.source.fps", 0)).toBe(20);
  });

  test("waits until there is something to apply it to, and is refused when that goes", async () => {
    await using at = await setUp();
    const reloader = new Reloader({
      ...{ store: at.store, env: {}, secrets: await readEdgeSecrets(at.store.config, {}) },
      apply: async (plan) => void at.applied.push(plan),
      logger: createLogger("config"),
    });
    await writeFile(at.path, at.edited(faster));
    const early = reloader.reload();
    await Bun.sleep(50);
    expect(at.applied).toEqual([]);
    reloader.open();
    await early;
    expect(at.applied).toHaveLength(1);
    await writeFile(at.path, at.format(at.data));
    const last = reloader.reload();
    await reloader.close();
    expect((await thrown(last)).code).toBe("unavailable");
    expect((await thrown(reloader.push(at.format(at.data), at.store.version))).code).toBe("unavailable");
    expect(at.applied).toHaveLength(1);
  });

  test("what cannot be applied is no half config: all of the new one is in force", async () => {
    await using at = await setUp();
    at.fault.apply = new Error("a camera does not let go");
    await writeFile(at.path, at.edited(faster));
    const result = await at.reloader.reload();
    expect(result.version).toBe(at.store.version);
    expect(at.store.get("cameras.0.source.fps", 0)).toBe(20);
  });
});

describe.each(["edge.yaml", "edge.json"])("a config pushed by the hub over %s", (name) => {
  test("is written and put in force, the former is kept, and the same again changes nothing", async () => {
    await using at = await setUp({ name });
    const before = await at.text();
    const { version } = await at.reloader.read();
    expect(version).toBe(at.store.version);
    const pushed = at.edited((copy) => {
      faster(copy);
      copy.upload.order = "newest_first";
      copy.recording = { segment_seconds: 60 };
    });
    const result = await at.reloader.push(pushed, version);
    expect(result.changes.map(({ path }) => path).toSorted()).toEqual([
      "cameras.cam01.source.fps",
      "recording.segment_seconds",
      "upload.order",
    ]);
    expect(await at.text()).toBe(pushed);
    expect(await readFile(`${at.path}.previous`, "utf8")).toBe(before);
    expect((await stat(at.path)).mode & 0o777).toBe(0o640);
    const { mtimeMs } = await stat(at.path);
    expect((await at.reloader.push(pushed, version)).changes).toEqual([]);
    expect((await stat(at.path)).mtimeMs).toBe(mtimeMs);
    expect(await readFile(`${at.path}.previous`, "utf8")).toBe(before);
    expect(at.applied).toHaveLength(1);
    expect((await readdir(at.folder)).filter((file) => file.includes("tmp"))).toEqual([]);
  });

  test("as it was shown goes through, with what was hidden", async () => {
    await using at = await setUp({ name });
    const { text, version } = await at.reloader.read();
    expect(text).not.toContain("abc");
    expect(text).not.toContain("secret\n");
    expect((await at.reloader.push(text, version)).changes).toEqual([]);
    const edited = text.replace(/fps"?: 10/, (found) => found.replace("10", "20"));
    expect(edited).not.toBe(text);
    const result = await at.reloader.push(edited, version);
    expect(result.changes).toEqual([{ path: "cameras.cam01.source.fps", effect: "camera" }]);
    expect(parse(await at.text()).cameras[1].source.url).toBe("rtsp://cam/1?token=abc");
  });
});

describe("a pushed config is refused, and nothing changes, when", () => {
  async function expectRefused(
    at: Awaited<ReturnType<typeof setUp>>,
    push: Promise<unknown>,
    expected: Record<string, unknown>,
  ): Promise<AppError> {
    const before = { text: await at.text(), files: await readdir(at.folder), version: at.store.version };
    const error = await thrown(push);
    expect(error).toMatchObject(expected);
    expect({ text: await at.text(), files: await readdir(at.folder), version: at.store.version }).toEqual(
      before,
    );
    expect(at.applied).toEqual([]);
    return error;
  }

  test("it changes who the node is, whom it talks to or where it writes, or is wrong: all of it is named", async () => {
    await using at = await setUp();
    const push = (edit: (copy: Data) => void) => at.reloader.push(at.edited(edit), at.store.version);
    const foreign = push((copy) => {
      copy.node_id = "node02";
      copy.network.hub_url = "http://evil";
      copy.network.api_key = at.secret("other");
      copy.system = { spool_path: "/srv", log_level: "debug" };
    });
    const { issues } = await expectRefused(at, foreign, { code: "invalid_config" });
    expect(issues.map(({ path }) => path).toSorted()).toEqual([
      "network.api_key.file",
      "network.hub_url",
      "node_id",
      "system.log_level",
      "system.spool_path",
    ]);
    const wrong = push((copy) => {
      copy.cameras[0].source.fps = 1000;
      copy.recording = { segment_seconds: 7 };
      copy.upload.order = "random";
    });
    expect((await expectRefused(at, wrong, { code: "invalid_config" })).issues).toHaveLength(3);
  });

  test("it would send a file of the node to somewhere else as a secret", async () => {
    await using at = await setUp();
    for (const place of [
      at.secret("key"),
      at.secret("metrics"),
      at.secret("other"),
      { file: "/etc/hostname" },
      { env: "HOME" },
    ]) {
      const text = at.edited((copy) => {
        copy.cameras[0].source = { type: "rtsp", url: "rtsp://evil/", credentials: place };
      });
      const { issues } = await expectRefused(at, at.reloader.push(text, at.store.version), {
        code: "invalid_config",
      });
      expect(issues.map(({ path }) => path)).toContain("cameras.0.source.credentials");
    }
    const known = at.edited((copy) => {
      copy.cameras[1].source.transport = "udp";
    });
    expect((await at.reloader.push(known, at.store.version)).changes).toHaveLength(1);
  });

  test("it is based on another version", async () => {
    await using at = await setUp();
    await expectRefused(at, at.reloader.push(at.edited(faster), "000000000000"), { code: "conflict" });
  });

  test("somebody changed the file meanwhile: their change is put in force", async () => {
    await using at = await setUp();
    const { version } = at.store;
    const theirs = at.edited((copy) => {
      copy.cameras[0].name = "Door";
    });
    await writeFile(at.path, theirs);
    expect((await thrown(at.reloader.push(at.edited(faster), version))).code).toBe("conflict");
    expect(await at.text()).toBe(theirs);
    expect(at.store.get("cameras.0.name", "")).toBe("Door");
  });

  test("somebody is in the middle of changing the file", async () => {
    await using at = await setUp();
    await writeFile(at.path, "cameras: [");
    await expectRefused(at, at.reloader.push(at.edited(faster), at.store.version), { code: "conflict" });
    expect((await thrown(at.reloader.read())).code).toBe("conflict");
  });

  test("the file cannot be replaced", async () => {
    await using at = await setUp();
    await mkdir(`${at.path}.previous`);
    const error = await expectRefused(at, at.reloader.push(at.edited(faster), at.store.version), {
      code: "io",
    });
    expect(error.message).toContain("cannot be written");
  });

  test.each([
    ["nothing", ""],
    ["a list", "[]"],
    ["no YAML", "a: [1"],
    ["far too much", `# ${"x".repeat(300_000)}`],
  ])("it is %s", async (_what, text) => {
    await using at = await setUp();
    await expectRefused(at, at.reloader.push(text, at.store.version), { code: "invalid_config" });
  });
});

test("what a push that was killed left behind is removed by the next", async () => {
  await using at = await setUp();
  const left = [`${at.path}.tmp-4711`, `${at.path}.previous.tmp-4711`];
  for (const path of [...left, `${at.path}.mine`]) await writeFile(path, "half");
  await at.reloader.push(at.edited(faster), at.store.version);
  const names = await readdir(at.folder);
  expect(names.filter((name) => name.includes("tmp"))).toEqual([]);
  expect(names).toContain("edge.yaml.mine");
});

test("a config file that is a link stays one", async () => {
  await using at = await setUp();
  const real = join(at.folder, "real.yaml");
  await rename(at.path, real);
  await symlink("real.yaml", at.path);
  await at.reloader.push(at.edited(faster), at.store.version);
  expect((await lstat(at.path)).isSymbolicLink()).toBe(true);
  expect(await readFile(real, "utf8")).toBe(at.edited(faster));
});

test("settings that wait for a restart survive a push", async () => {
  await using at = await setUp();
  const waiting = (copy: Data) => {
    copy.system = { spool_path: "/srv/spool" };
  };
  await writeFile(at.path, at.edited(waiting));
  expect((await at.reloader.reload()).needsRestart).toEqual(["system.spool_path"]);
  const { text, version } = await at.reloader.read();
  expect(version).not.toBe(at.store.version);
  const pushed = text.replace("fps: 10", "fps: 20");
  expect(await at.reloader.push(pushed, version)).toMatchObject({
    cameras: { restarted: [{ id: "cam01" }] },
    needsRestart: ["system.spool_path"],
  });
  expect(parse(await at.text())).toMatchObject({ system: { spool_path: "/srv/spool" } });
  expect(at.store.config.system.spool_path).toBe("/var/lib/livecam/spool");
});

import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { formatConfigError } from "../../src/common/config-file.ts";
import type { AppError } from "../../src/common/errors.ts";
import { checkInput } from "../../src/common/input-issues.ts";
import { EdgeConfig } from "../../src/edge/config.ts";
import { checkEdgeConfig, readEdgeSecrets } from "../../src/edge/config-secrets.ts";
import { ConfigStore } from "../../src/edge/config-store.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

const minimal = () => ({
  node_id: "node01",
  cameras: [{ id: "cam01", source: { type: "test" } }],
  upload: { destination: { type: "path", path: "/mnt/nas/videos" } },
  network: { hub_url: "http://hub:8080", api_key: { env: "LIVECAM_API_KEY" } },
});

async function withFile<T>(
  config: unknown,
  use: (path: string) => Promise<T>,
  name = "edge.yaml",
): Promise<T> {
  await using folder = await temporaryFolder();
  const path = join(folder.path, name);
  await writeFile(
    path,
    typeof config === "string" ? config : name.endsWith("json") ? JSON.stringify(config) : stringify(config),
  );
  return await use(path);
}

async function thrown(work: Promise<unknown>): Promise<AppError> {
  return work.then(
    () => expect.unreachable(),
    (error: unknown) => error as AppError,
  );
}

test("gives defaults to what a config leaves out, from YAML and from JSON", async () => {
  for (const name of ["edge.yaml", "edge.json"]) {
    await withFile(
      minimal(),
      async (path) => {
        const store = await ConfigStore.load(path);
        expect(store.config.recording).toEqual({
          segment_seconds: 600,
          fsync_interval_ms: 2000,
          unsynced_hold_seconds: 600,
          stall_seconds: 15,
          fallback_after_failures: 5,
        });
        expect(store.config.system.spool_path).toBe("/var/lib/livecam/spool");
      },
      name,
    );
  }
});

test("the example config is valid", async () => {
  const path = join(import.meta.dir, "../../deploy/edge.example.yaml");
  expect((await ConfigStore.load(path)).config.cameras).toHaveLength(1);
  // What it has in comments is valid, too.
  const text = (await Bun.file(path).text()).replace(
    /^( *)# (?=(?: *- id:| {2,}\w+:| *(?:rotation|autofocus|audio_device|time_zone):))/gm,
    "$1",
  );
  await withFile(text, async (uncommented) => {
    expect((await ConfigStore.load(uncommented)).config.cameras.map(({ id }) => id)).toEqual([
      "cam01",
      "cam02",
      "cam03",
      "cam04",
      "cam05",
    ]);
  });
});

test.each(["25:00-06:00", "22:00", "22:00-22:00", "22:00-06:60", "24:00-06:00", "22:00 - 06:00", 22])(
  "%j is no time to upload in",
  async (window) => {
    const { upload } = minimal();
    await withFile(
      { ...minimal(), upload: { ...upload, windows: ["00:00-24:00", window] } },
      async (path) => {
        expect((await thrown(ConfigStore.load(path))).issues.map(({ path: where }) => where)).toEqual([
          "upload.windows.1",
        ]);
      },
    );
  },
);

test.each(["* * *", "61 * * * *", "never", "0 0 30 2 *", 5])("%j is no time to check at", async (pattern) => {
  const { upload } = minimal();
  await withFile({ ...minimal(), upload: { ...upload, check_cron: pattern } }, async (path) => {
    expect((await thrown(ConfigStore.load(path))).issues).toMatchObject([{ path: "upload.check_cron" }]);
  });
});

test("get answers a dotted path, or what was given for none", async () => {
  await withFile(minimal(), async (path) => {
    const store = await ConfigStore.load(path);
    expect(store.get("upload.order", "?")).toBe("oldest_first");
    expect(store.get("cameras.0.id", "?")).toBe("cam01");
    expect(store.get("cameras.5.id", "none")).toBe("none");
    expect(store.get("system.time_zone", "UTC")).toBe("UTC");
    expect(store.get("__proto__.polluted", "none")).toBe("none");
    expect(store.get("constructor.name", "none")).toBe("none");
  });
});

test("the version follows what is set, not how it is written", async () => {
  const version = (config: unknown, name?: string) =>
    withFile(config, async (path) => (await ConfigStore.load(path)).version, name);
  const plain = await version(minimal());
  expect(plain).toMatch(/^[0-9a-f]{12}$/);
  expect(await version(minimal(), "edge.json")).toBe(plain);
  expect(await version(Object.fromEntries(Object.entries(minimal()).toReversed()))).toBe(plain);
  expect(await version({ ...minimal(), recording: { segment_seconds: 600 } })).toBe(plain);
  expect(await version({ ...minimal(), recording: { segment_seconds: 60 } })).not.toBe(plain);
});

describe("check-config", () => {
  test("accepts what is right", async () => {
    await withFile(minimal(), async (path) => {
      expect((await checkEdgeConfig(path, { LIVECAM_API_KEY: "lck_a_b" })).node_id).toBe("node01");
    });
  });

  test("names every error at once, with path, value and expectation, and the secrets too", async () => {
    const wrong = {
      ...minimal(),
      node_id: "Node 01",
      cameras: [
        { id: "cam01", source: { type: "test", fps: 1000, codec: "vp9" } },
        {
          id: "metadata",
          source: { type: "rtsp", url: "http://cam", credentials: { file: "/nope/secret" } },
        },
      ],
      recording: { segment_seconds: 7, fsync: true },
      upload: { destination: { type: "path", path: "videos" }, order: "random" },
    };
    await withFile(wrong, async (path) => {
      const error = await thrown(checkEdgeConfig(path, {}));
      expect(error.code).toBe("invalid_config");
      expect(error.issues.map((issue) => issue.path).sort()).toEqual([
        "cameras.0.source.codec",
        "cameras.0.source.fps",
        "cameras.1.id",
        "cameras.1.source.credentials",
        "cameras.1.source.url",
        "network.api_key",
        "node_id",
        "recording.fsync",
        "recording.segment_seconds",
        "upload.destination.path",
        "upload.order",
      ]);
      const text = formatConfigError(error);
      expect(text).toContain("cameras.0.source.fps: expected at most 240 frames per second, got 1000");
      expect(text).toContain("network.api_key: the environment variable LIVECAM_API_KEY is not set");
    });
  });

  test.each([
    ["a missing file", undefined],
    ["an empty file", ""],
    ["a list", "[]"],
    ["a word", "hello"],
    ["broken YAML", "a: [1\nb: }"],
    ["null in the wrong places", "cameras: null\nnetwork: null"],
    ["cameras that are none", "cameras: [1, null, {source: 3}]\nnetwork: {api_key: 5}"],
    [
      "a bomb of aliases",
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]`,
    ],
  ])("refuses %s clearly", async (_what, text) => {
    const check = (path: string) => thrown(checkEdgeConfig(path, {}));
    const error = text === undefined ? await check("/nope/edge.yaml") : await withFile(text, check);
    expect(error.code).toBe("invalid_config");
    expect(formatConfigError(error).length).toBeGreaterThan(20);
  });

  test("does not repeat a secret that was written into the config", async () => {
    const config = { ...minimal(), network: { hub_url: "http://hub:8080", api_key: "lck_id_topsecret" } };
    await withFile(config, async (path) => {
      expect(formatConfigError(await thrown(checkEdgeConfig(path, {})))).not.toContain("topsecret");
    });
  });
});

test("secrets are read from where the config says they are", async () => {
  await using folder = await temporaryFolder();
  const secretFile = join(folder.path, "cam02");
  await writeFile(secretFile, "admin:hunter2\n");
  const source = { type: "rtsp", url: "rtsp://cam.local/1", credentials: { file: secretFile } };
  const config = { ...minimal(), cameras: [...minimal().cameras, { id: "cam02", source }] };
  await withFile(config, async (path) => {
    const { config } = await ConfigStore.load(path);
    const secrets = await readEdgeSecrets(config, { LIVECAM_API_KEY: "lck_a_b" });
    expect(secrets.hubApiKey.reveal()).toBe("lck_a_b");
    expect([...secrets.cameraCredentials].map(([id, secret]) => [id, secret.reveal()])).toEqual([
      ["cam02", "admin:hunter2"],
    ]);
    expect((await thrown(readEdgeSecrets(config, {}))).issues).toMatchObject([{ path: "network.api_key" }]);
  });
});

test("so are the other destinations that the example config has in comments", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../deploy/edge.example.yaml")).text();
  const lines = [...text.matchAll(/^ {2}# (destination: .*)$/gm)].map(([, line]) => line as string);
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    const { destination } = parse(line) as { destination: { type: "path" | "nfs" | "smb" } };
    await withFile({ ...minimal(), upload: { destination } }, async (path) => {
      expect((await ConfigStore.load(path)).config.upload.destination.type).toBe(destination.type);
    });
  }
});

test("the password of a destination is looked for, and never repeated", async () => {
  const destination = {
    ...{ type: "smb", mode: "client", server: "nas.local", share: "videos", username: "livecam" },
    password: { env: "LIVECAM_SMB_PASSWORD" } as unknown,
  };
  await withFile({ ...minimal(), upload: { destination } }, async (path) => {
    const env = { LIVECAM_API_KEY: "lck_a_b" };
    const error = await thrown(checkEdgeConfig(path, env));
    expect(error.issues.map(({ path: where }) => where)).toEqual(["upload.destination.password"]);
    const config = await checkEdgeConfig(path, { ...env, LIVECAM_SMB_PASSWORD: "hunter2" });
    expect(config.upload.destination).toMatchObject({ protocol: "SMB3", verify: "size", path: "" });
  });
  await withFile(
    { ...minimal(), upload: { destination: { ...destination, password: "topsecret" } } },
    async (path) => {
      expect(formatConfigError(await thrown(checkEdgeConfig(path, {})))).not.toContain("topsecret");
    },
  );
});

test("says everything at once: cameras of one id, among other mistakes, and no secret that stands in the wrong place", async () => {
  const config = {
    ...minimal(),
    cameras: [
      { id: "cam01", source: { type: "rtsp", url: "rtsp://10.0.0.1/a", credentials: "admin:hunter2" } },
      { id: "cam01", source: { type: "bogus" } },
      { id: "cam02", source: { type: "test", width: "wide" } },
      null,
      { id: "cam02", source: { type: "test" } },
    ],
    health: { alerts: { horizon_hours: "x" }, metrics_listen: "0.0.0.0:9999" },
  };
  const error = await withFile(config, (path) => thrown(ConfigStore.load(path)));
  expect(error.issues.map(({ path }) => path)).toEqual([
    "cameras.0.source.credentials",
    "cameras.1.source.type",
    "cameras.2.source.width",
    "cameras.3",
    "cameras.1.id",
    "cameras.4.id",
    "health.alerts.horizon_hours",
    "health.metrics_listen",
  ]);
  expect(formatConfigError(error)).toContain(
    'cameras.4.id: expected an id that no other camera has, got "cam02"',
  );
  expect(formatConfigError(error)).not.toContain("hunter2");
});

test("nothing of a file acts on the terminal that shows what is wrong with it", async () => {
  const hostile = "\u001b[2J\u009b31m\u0007\r\u0000";
  for (const text of [
    `a: b: "${hostile}"\n`,
    `node_id: ["${hostile}"\n`,
    stringify({ [hostile]: hostile }),
  ]) {
    const error = await withFile(text, (path) => thrown(ConfigStore.load(path)));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(formatConfigError(error)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  }
});

test("every setting with anything in its place is valid or refused with its name, and never more than that", async () => {
  const example = parse(await Bun.file(join(import.meta.dir, "../../deploy/edge.example.yaml")).text());
  const anything = [
    ...[null, true, -1, 0, 0.5, 1e308, Number.MAX_SAFE_INTEGER, "", "\u0000", "../..", "x".repeat(100_000)],
    ...["카메라", "\ud800", "*".repeat(5000), {}, [], [null], [[[]]], { type: "test" }, { env: "X" }],
    JSON.parse('{"__proto__":1,"constructor":2}'),
  ];
  const paths = (value: unknown, at: string[] = []): string[][] => [
    ...(at.length > 0 ? [at] : []),
    ...(typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => paths(inner, [...at, key]))
      : []),
  ];
  const all = paths(example);
  expect(all.length).toBeGreaterThan(30);
  let refused = 0;
  for (const path of all) {
    for (const value of anything) {
      const config = structuredClone(example);
      const parent = path.slice(0, -1).reduce((inner, key) => inner[key], config);
      parent[path.at(-1) as string] = value;
      const checked = checkInput(EdgeConfig, config);
      if (checked.ok) continue;
      refused++;
      const name = path.join(".");
      // A wrong type of a source or destination makes its other fields unknown; what is wrong lies beside it then.
      const near = path.slice(0, -1).join(".");
      for (const issue of checked.issues) {
        expect(issue.path === name || issue.path.startsWith(near)).toBe(true);
        expect((issue.received ?? "").length).toBeLessThan(100);
      }
    }
  }
  expect(refused).toBeGreaterThan(all.length * 10);
});

import { describe, expect, test } from "bun:test";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../src/common/child-process.ts";
import { parseConfig } from "../../src/common/config-file.ts";
import { type InitContext, type InitOptions, runInit } from "../../src/edge/cli-init.ts";
import { EdgeConfig } from "../../src/edge/config.ts";
import { checkEdgeConfig } from "../../src/edge/config-secrets.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { testIf } from "../support/test-if.ts";

const found = [
  { text: "rpicam:0", name: "imx708_wide" },
  { text: "/dev/video0", name: "HD Webcam: evil\nnode_id: other" },
];
const given = { archive: "/mnt/nas/videos", hub: "http://nas.local:8080", node: "node01" };

async function init(options: Partial<InitOptions>, context: Partial<InitContext> = {}) {
  const text: string[] = [];
  const exitCode = await runInit(
    { output: "-", ...options },
    {
      out: { write: (part) => text.push(part) },
      ...{ env: {}, ask: undefined, find: async () => found },
      ...context,
    },
  );
  return { exitCode, text: text.join("") };
}

async function configOf(options: Partial<InitOptions>) {
  const { text } = await init({ ...given, ...options });
  return parseConfig(text, "yaml", EdgeConfig, "test");
}

test("the cameras that are found, with what they call themselves, and comments", async () => {
  const { text, exitCode } = await init(given);
  expect(exitCode).toBe(0);
  const config = parseConfig(text, "yaml", EdgeConfig, "test");
  expect(config).toMatchObject({
    node_id: "node01",
    cameras: [
      { id: "cam01", source: { type: "rpicam", camera: 0, autofocus: "continuous" } },
      { id: "cam02", source: { type: "v4l2", device: "/dev/video0" } },
    ],
    upload: { destination: { type: "path", path: "/mnt/nas/videos" } },
    network: { hub_url: "http://nas.local:8080", api_key: { file: "/etc/livecam/hub.key" } },
  });
  expect(text).toContain("(HD Webcam: evil node_id: other)");
  expect(text.split("\n").filter((line) => /^\s*#/.test(line)).length).toBeGreaterThan(10);
});

test.each([
  [["rpicam:1"], { type: "rpicam", camera: 1 }],
  [["test"], { type: "test" }],
  [["file:/srv/a: #b.mp4"], undefined],
  [["file:/srv/a:b#c.mp4"], { type: "file", path: "/srv/a:b#c.mp4" }],
  [["rtsp://cam/1?a={b}&c=%23"], { type: "rtsp", url: "rtsp://cam/1?a={b}&c=%23" }],
])("the camera %j", async (camera: string[], source: object | undefined) => {
  if (source) expect((await configOf({ camera })).cameras).toMatchObject([{ id: "cam01", source }]);
  else await expect(configOf({ camera })).rejects.toMatchObject({ code: "invalid_input" });
});

test.each([
  ["/mnt/my videos", { type: "path", path: "/mnt/my videos" }],
  [
    "nfs://nas.local:2050/volume1/videos/",
    { type: "nfs", server: "nas.local", port: 2050, export: "/volume1/videos" },
  ],
  [
    "smb://ada@nas/my%20share/a/b",
    { type: "smb", mode: "mount", share: "my share", path: "a/b", username: "ada" },
  ],
  ["smb+client://ada@nas/cameras", { type: "smb", mode: "client", share: "cameras", path: "" }],
])("the archive %s", async (archive, destination) => {
  expect((await configOf({ archive })).upload.destination).toMatchObject(destination);
});

test.each([
  [{ archive: "smb://ada:hunter2@nas/share" }, "password"],
  [{ archive: "smb://nas/share" }, "a user and a share"],
  [{ archive: "ftp://nas/share" }, "use /PATH"],
  [{ camera: ["video0"] }, '"video0" is no camera'],
  [{ camera: ["rtsp://ada:hunter2@cam/1"] }, "write user:password to the file"],
  [{ camera: ["http://ada:hunter2@cam/1"] }, "is no camera"],
  [{ node: "Node 1" }, "characters of a-z"],
  [{ hub: "nas.local" }, "http://"],
])("%j is refused, and no password repeated", async (options: Partial<InitOptions>, message) => {
  const error = await init({ ...given, ...options }).then(
    () => undefined,
    (refusal: Error) => refusal,
  );
  expect(error?.message).toContain(message);
  const { issues = [] } = error as { issues?: unknown };
  expect(`${error?.message} ${JSON.stringify(issues)}`).not.toContain("hunter2");
});

test("where nobody can be asked, what is missing is named", async () => {
  await expect(init({}, { find: async () => [] })).rejects.toThrow(
    "missing: --archive, --hub, --camera (none was found); on a terminal it would ask for them",
  );
});

describe("a file", () => {
  test("is written once, passes check-config when the key is there, and says what is left", async () => {
    await using folder = await temporaryFolder();
    const output = join(folder.path, "new", "edge.yaml");
    const { text } = await init({ ...given, output });
    expect(text).toContain(`wrote ${output}`);
    expect(text).toContain(
      `network.api_key: cannot read the secret file ${join(folder.path, "new", "hub.key")}`,
    );
    expect(text).toContain(`livecam-edge doctor --config ${output}`);
    await writeFile(join(folder.path, "new", "hub.key"), "lck_a_b\n");
    expect(await checkEdgeConfig(output, {})).toMatchObject({ node_id: "node01" });
  });

  test("that is there is replaced only by force", async () => {
    await using folder = await temporaryFolder();
    const output = join(folder.path, "edge.yaml");
    await writeFile(output, "mine");
    await expect(init({ ...given, output })).rejects.toMatchObject({ code: "conflict" });
    await expect(init({ ...given, hub: "no", output, force: true })).rejects.toThrow();
    expect(await readFile(output, "utf8")).toBe("mine");
    await init({ ...given, output, force: true });
    expect(await readFile(output, "utf8")).toContain("node_id: node01");
  });

  test("comes from questions, asked again until the answer is understood; the key is for its owner alone", async () => {
    await using folder = await temporaryFolder();
    const output = join(folder.path, "edge.yaml");
    const replies = [
      "Not A Name",
      "pi-garage",
      "camera",
      "test rtsp://cam/1",
      "",
      "nonsense",
      "http://nas:8080",
      "lck_a_b",
    ];
    const questions: string[] = [];
    const ask = async (question: string, fallback: string) => {
      questions.push(question);
      return replies.shift() || fallback;
    };
    const { text } = await init({ output }, { ask });
    expect(replies).toEqual([]);
    expect(questions).toHaveLength(8);
    expect(text).toContain('"camera" is no camera');
    expect(await checkEdgeConfig(output, {})).toMatchObject({
      node_id: "pi-garage",
      cameras: [{ source: { type: "test" } }, { source: { type: "rtsp", url: "rtsp://cam/1" } }],
      upload: { destination: { path: "/mnt/nas/videos" } },
    });
    const key = join(folder.path, "hub.key");
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect(await readFile(key, "utf8")).toBe("lck_a_b\n");
    expect(text).not.toContain("lck_a_b");
    expect(text).not.toContain("Still to do");
  });
});

testIf(Bun.which("script") !== null, "needs script of util-linux")(
  "on a terminal it asks what was not given",
  async () => {
    await using folder = await temporaryFolder();
    const output = join(folder.path, "edge.yaml");
    const program = `${process.execPath} ${join(import.meta.dir, "../../src/edge/main.ts")}`;
    const command = `${program} init -o ${output} --node node01 --camera test --archive /mnt/nas`;
    const child = startChild({
      argv: ["script", "-qec", command, "/dev/null"],
      ...({ stdin: "pipe", stdout: "pipe" } as const),
    });
    const answers = [
      ["Address of the hub", "http://nas:8080"],
      ["API key", "lck_a_b"],
    ];
    let seen = "";
    for await (const chunk of child.stdout) {
      seen += new TextDecoder().decode(chunk);
      const [question = "", answer] = answers[0] ?? [];
      if (answer === undefined || !new RegExp(`${question}.*: `).test(seen)) continue;
      answers.shift();
      child.stdin?.write(`${answer}\n`);
      await child.stdin?.flush();
    }
    expect(await child.exited).toMatchObject({ exitCode: 0 });
    expect(answers).toEqual([]);
    expect(await checkEdgeConfig(output, {})).toMatchObject({ network: { hub_url: "http://nas:8080" } });
  },
  30_000,
);

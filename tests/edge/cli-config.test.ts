import { expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runConfigShow } from "../../src/edge/cli-config.ts";
import { ConfigStore } from "../../src/edge/config-store.ts";
import { temporaryFolder } from "../support/sample-recording.ts";

const secret = "hunter2";
const config = (url: string) => ({
  node_id: "node01",
  cameras: [
    { id: "cam01", source: { type: "test" } },
    { id: "cam02", source: { type: "rtsp", url, credentials: { env: "CAM02" } } },
  ],
  upload: { destination: { type: "path", path: "/mnt/nas/videos" } },
  network: { hub_url: "http://hub:8080", api_key: { file: "/etc/livecam/hub.key" } },
});

async function shown(options: { url?: string; json?: boolean } = {}) {
  const { url = "rtsp://cam/1", json = false } = options;
  await using folder = await temporaryFolder();
  const path = join(folder.path, "edge.yaml");
  await writeFile(path, JSON.stringify(config(url)));
  const text: string[] = [];
  const exitCode = await runConfigShow({ config: path, json }, { write: (part) => text.push(part) });
  expect(exitCode).toBe(0);
  return { text: text.join(""), version: (await ConfigStore.load(path)).version };
}

test("every default is filled in, and the result means the same", async () => {
  const { text, version } = await shown();
  expect(text).toContain(`version ${version}`);
  expect(text).toContain("segment_seconds: 600");
  expect(text).toContain("file: /etc/livecam/hub.key");
  await using folder = await temporaryFolder();
  const again = join(folder.path, "again.yaml");
  await writeFile(again, text);
  expect((await ConfigStore.load(again)).version).toBe(version);
});

test.each([
  `rtsp://cam/1?user=a&token=${secret}`,
  `rtsp://cam/1?${secret}`,
  `rtsp://cam/1?k=a=${secret}`,
  `rtsp://cam/user=admin_password=${secret}_channel=1_stream=0.sdp?real`,
])("%s is shown without what may be a key in it", async (url) => {
  for (const json of [false, true]) {
    const { text } = await shown({ url, json });
    expect(text).toMatch(/rtsp:\/\/cam\/(1|user=hidden)\?/);
    expect(text).not.toContain(secret);
  }
});

test("as JSON, with the version", async () => {
  const { text, version } = await shown({ json: true });
  expect(JSON.parse(text)).toMatchObject({
    config_version: version,
    config: {
      system: { control_socket: "/run/livecam/edge.sock" },
      network: { api_key: { file: "/etc/livecam/hub.key" } },
    },
  });
});

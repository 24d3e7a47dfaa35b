import { expect } from "bun:test";
import { rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { testArchiveId } from "../contract/archive-destination.contract.ts";
import {
  EdgeProcess,
  type EdgeSite,
  makeEdgeSite,
  processesWith,
  videosIn,
} from "../support/edge-process.ts";
import { type FakeHub, fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { canServeSmb, SmbServer, whyNoSmb } from "../support/smb-server.ts";
import { testIf } from "../support/test-if.ts";

/** An edge that uploads into a share of `server`. */
async function makeSmbSite(folder: string, hubUrl: string, server: SmbServer, cameraId: string) {
  const source = { type: "test", width: 320, height: 180, fps: 10, bitrate: 100_000, keyframe_seconds: 0.5 };
  const path = relative(tmpdir(), join(folder, "videos"));
  return makeEdgeSite(folder, {
    ...{ hubUrl, apiKey: fakeHubKey, cameras: [{ id: cameraId, source }] },
    config: {
      upload: { destination: { ...server.destination("tmp"), path }, stall_seconds: 2 },
      system: { run_path: join(folder, "run") },
    },
  });
}

/** Every segment of the one run, none missing and none twice, all of them whole. */
async function expectAllDelivered({ archive }: EdgeSite, hub: FakeHub): Promise<void> {
  const paths = await videosIn(archive);
  expect([...hub.videos.values()].map(({ file_path }) => file_path).sort()).toEqual(paths);
  for (const each of paths) {
    expect(await verifyArchiveFile(join(archive, each))).toMatchObject({ ok: true, problems: [] });
  }
  const sequences = [...hub.videos.values()].map(({ sequence }) => sequence).sort((a, b) => a - b);
  expect(sequences).toEqual(sequences.map((_, i) => i));
}

testIf(canServeSmb, whyNoSmb)(
  "an edge delivers into an SMB share, records on while the server is stopped, and delivers the rest afterwards",
  async () => {
    await using folder = await temporaryFolder();
    await using server = await SmbServer.start({ tmp: tmpdir() });
    await using hub = startFakeHub();
    hub.archiveId = testArchiveId;
    const mark = `t${crypto.randomUUID().slice(0, 8)}`;
    const site = await makeSmbSite(folder.path, hub.url, server, mark);
    const edge = new EdgeProcess(site);
    try {
      await edge.logged("acknowledged", 1);
      await server.signal("SIGSTOP");
      await edge.logged("an upload worker that made no progress was given up");
      const client = new ControlClient(site.socket);
      const before = (await client.status()).cameras[0]?.last_fragment_at ?? "";
      const heartbeats = hub.heartbeats.length;
      const camera = async () => (await client.status()).cameras[0];
      while (hub.heartbeats.length < heartbeats + 2) await Bun.sleep(50);
      while (((await camera())?.last_fragment_at ?? "") <= before) await Bun.sleep(50);
      expect((await camera())?.state).toBe("recording");

      await server.signal("SIGCONT");
      await edge.logged("acknowledged", (await edge.logged("acknowledged")).length + 3);
      expect(await edge.stop()).toBe(0);
    } finally {
      edge.kill("SIGKILL");
      await edge.exited;
    }
    for (const text of [mark, folder.path])
      while ((await processesWith(text)).length > 0) await Bun.sleep(50);

    await expectAllDelivered(site, hub);
  },
);

testIf(canServeSmb, whyNoSmb)(
  "a password that is changed on the server, and then in its file, costs nothing but time",
  async () => {
    await using folder = await temporaryFolder();
    await using server = await SmbServer.start({ tmp: tmpdir() });
    await using hub = startFakeHub();
    hub.archiveId = testArchiveId;
    const site = await makeSmbSite(folder.path, hub.url, server, "cam01");
    const edge = new EdgeProcess(site);
    try {
      await edge.logged("acknowledged", 1);
      await server.setPassword("another one");
      // Connections that it had would go on.
      await server.kill();
      await server.run();
      const refused = () =>
        edge.log.some(({ message, properties }) => {
          return message === "an upload failed" && JSON.stringify(properties).includes("LOGON_FAILURE");
        });
      while (!refused()) await Bun.sleep(50);
      await writeFile(join(server.folder, "password.new"), "another one", { mode: 0o600 });
      await rename(join(server.folder, "password.new"), join(server.folder, "password"));
      edge.kill("SIGHUP");
      // Where the password lies is as it was: that it is another one is what the reload has to notice.
      const [told] = await edge.logged("the changed config is put in force");
      expect(told?.properties.settings).toEqual(["upload.destination.password"]);
      await edge.logged("acknowledged", (await edge.logged("acknowledged")).length + 3);
      expect(await edge.stop()).toBe(0);
    } finally {
      edge.kill("SIGKILL");
      await edge.exited;
    }
    await expectAllDelivered(site, hub);
    expect([...hub.gaps.values()]).toEqual([]);
    expect(JSON.stringify(edge.log)).not.toContain("another one");
  },
);

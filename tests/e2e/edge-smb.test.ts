import { expect } from "bun:test";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import { ControlClient } from "../../src/edge/control/control-client.ts";
import { testArchiveId } from "../contract/archive-destination.contract.ts";
import { EdgeProcess, makeEdgeSite, processesWith, videosIn } from "../support/edge-process.ts";
import { fakeHubKey, startFakeHub } from "../support/fake-hub.ts";
import { temporaryFolder } from "../support/sample-recording.ts";
import { canServeSmb, SmbServer, whyNoSmb } from "../support/smb-server.ts";
import { testIf } from "../support/test-if.ts";

testIf(canServeSmb, whyNoSmb)(
  "an edge delivers into an SMB share, records on while the server is stopped, and delivers the rest afterwards",
  async () => {
    await using folder = await temporaryFolder();
    await using server = await SmbServer.start({ tmp: tmpdir() });
    await using hub = startFakeHub();
    hub.archiveId = testArchiveId;
    const mark = `t${crypto.randomUUID().slice(0, 8)}`;
    const path = relative(tmpdir(), join(folder.path, "videos"));
    const site = await makeEdgeSite(folder.path, {
      ...{ hubUrl: hub.url, apiKey: fakeHubKey },
      cameras: [
        {
          id: mark,
          source: {
            ...{ type: "test", width: 320, height: 180, fps: 10 },
            ...{ bitrate: 100_000, keyframe_seconds: 0.5 },
          },
        },
      ],
      config: {
        upload: { destination: { ...server.destination("tmp"), path }, stall_seconds: 2 },
        system: { run_path: join(folder.path, "run") },
      },
    });
    const edge = new EdgeProcess(site);
    try {
      await edge.logged("acknowledged", 1);
      await server.signal("SIGSTOP");
      await edge.logged("an upload worker that made no progress was given up");
      const client = new ControlClient(site.socket);
      const before = (await client.status()).cameras[0]?.last_fragment_at ?? "";
      const heartbeats = hub.heartbeats.length;
      while (hub.heartbeats.length < heartbeats + 2) await Bun.sleep(50);
      const [camera] = (await client.status()).cameras;
      expect(camera?.state).toBe("recording");
      expect((camera?.last_fragment_at ?? "") > before).toBe(true);

      await server.signal("SIGCONT");
      await edge.logged("acknowledged", (await edge.logged("acknowledged")).length + 3);
      expect(await edge.stop()).toBe(0);
    } finally {
      edge.kill("SIGKILL");
      await edge.exited;
    }
    expect(await processesWith(mark)).toEqual([]);
    expect(await processesWith(folder.path)).toEqual([]);

    const paths = await videosIn(site.archive);
    expect([...hub.videos.values()].map(({ file_path }) => file_path).sort()).toEqual(paths);
    for (const each of paths) {
      expect(await verifyArchiveFile(join(site.archive, each))).toMatchObject({ ok: true, problems: [] });
    }
    // Every segment of the one run, none missing and none twice.
    const sequences = [...hub.videos.values()].map(({ sequence }) => sequence).sort((a, b) => a - b);
    expect(sequences).toEqual(sequences.map((_, i) => i));
  },
);

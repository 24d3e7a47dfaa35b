import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { verifyArchiveFile } from "../../src/common/mp4/verify-file.ts";
import type { DestinationConfig } from "../../src/edge/destination-config.ts";
import { NfsServer } from "../../tests/support/nfs-server.ts";
import { SmbServer, smbPassword } from "../../tests/support/smb-server.ts";
import { openTestHub, type TestHub } from "../../tests/support/test-hub.ts";
import { buildBinary } from "../build.ts";
import { run, type VmImage } from "./image.ts";
import { hostInGuest, VirtualMachine } from "./machine.ts";

export const fsyncIntervalMs = 2000;
export const fragmentMs = 1000;
const segmentSeconds = 5;
const cameraId = "cam01";
const nodeId = "vm01";
const deploy = resolve(import.meta.dir, "../../deploy");

interface Video {
  file_path: string;
  start_time: string;
  end_time: string;
  clock_state: string;
}

export interface Gap {
  from_time: string;
  to_time: string;
  cause: string;
  detail: string;
}

/** A machine with `livecam-edge` as a service, and on this side of the wire its hub and a NAS that speaks NFS and SMB. */
export class Site implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;

  private constructor(
    readonly vm: VirtualMachine,
    readonly hub: TestHub,
    readonly nfs: NfsServer,
    readonly smb: SmbServer,
    readonly archive: string,
    stack: AsyncDisposableStack,
  ) {
    this.#stack = stack;
  }

  static async open(image: VmImage): Promise<Site> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), "livecam-vm-site-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const hub = stack.use(await openTestHub());
    const archive = join(hub.folder, "archive");
    const nfs = stack.use(await NfsServer.start({ "/videos": archive }));
    const smb = stack.use(await SmbServer.start({ videos: archive }));
    const edge = await buildBinary({ binary: "edge", target: "linux-x64", outDir: folder });
    const ownHub = await buildBinary({ binary: "hub", target: "linux-x64", outDir: folder });
    const film = join(folder, "film.mp4");
    await run(
      ...["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=10"],
      ...["-t", "60", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-b:v", "1M"],
      ...["-g", "10", "-keyint_min", "10", "-sc_threshold", "0", film],
    );
    const vm = stack.use(
      await VirtualMachine.create(image, {
        "/usr/local/bin/livecam-edge": { copyOf: edge, mode: 0o755 },
        "/etc/systemd/system/livecam-edge.service": { copyOf: join(deploy, "livecam-edge.service") },
        "/usr/local/bin/livecam-hub": { copyOf: ownHub, mode: 0o755 },
        "/etc/systemd/system/livecam-hub.service": { copyOf: join(deploy, "livecam-hub.service") },
        "/root/hub.example.yaml": { copyOf: join(deploy, "hub.example.yaml") },
        "/root/mounts.conf": { copyOf: join(deploy, "livecam-edge-mounts.conf") },
        "/srv/film.mp4": { copyOf: film },
        "/etc/livecam/hub.key": { text: await hub.makeKey("node", nodeId), mode: 0o640 },
        "/etc/livecam/smb.secret": { text: smbPassword, mode: 0o640 },
      }),
    );
    return new Site(vm, hub, nfs, smb, archive, stack.move());
  }

  destination(technology: "nfs" | "smb" | "smb-client"): DestinationConfig {
    const account = { server: hostInGuest, password: { file: "/etc/livecam/smb.secret" } };
    if (technology === "smb") return { ...this.smb.mountDestination("videos"), ...account };
    if (technology === "smb-client") return { ...this.smb.destination("videos"), ...account };
    return {
      ...({ type: "nfs", server: hostInGuest, port: this.nfs.port, export: "/videos" } as const),
      ...({ version: "4.2", sec: "sys", options: [] } as const),
    };
  }

  /** Writes the config; the service is (re)started by it. With `mounts`, as root and with the drop-in for it. */
  async start(
    destination: DestinationConfig,
    options: {
      clock?: "ntp" | "trusted";
      mounts?: boolean;
      /** In place of the one on this side of the wire. */
      hub?: { url: string; keyFile: string };
    } = {},
  ): Promise<void> {
    const config = {
      node_id: nodeId,
      cameras: [{ id: cameraId, source: { type: "file", path: "/srv/film.mp4" } }],
      recording: { segment_seconds: segmentSeconds, fsync_interval_ms: fsyncIntervalMs },
      upload: { destination, stall_seconds: 30 },
      network: {
        hub_url: options.hub?.url ?? `http://${hostInGuest}:${new URL(this.hub.url).port}`,
        api_key: { file: options.hub?.keyFile ?? "/etc/livecam/hub.key" },
        heartbeat_seconds: 5,
      },
      system: { clock: options.clock ?? "trusted", time_zone: "Asia/Seoul" },
    };
    await this.vm.write("/etc/livecam/edge.yaml", JSON.stringify(config));
    const dropIn = "/etc/systemd/system/livecam-edge.service.d";
    const asked =
      options.mounts === false ? `rm -rf ${dropIn}` : `mkdir -p ${dropIn} && cp /root/mounts.conf ${dropIn}`;
    await this.vm.run(
      `id -u livecam >/dev/null 2>&1 || useradd --system --home-dir /var/lib/livecam livecam
       chgrp -R livecam /etc/livecam && ${asked} && systemctl daemon-reload &&
       systemctl enable --quiet livecam-edge && systemctl restart livecam-edge`,
    );
  }

  async status(): Promise<{
    cameras: { state: string; last_fragment_at: string | null }[];
    uploads: { waiting: number };
    archive: { abandoned_workers: number };
  }> {
    return JSON.parse(await this.vm.run("livecam-edge status --json", 120_000));
  }

  async videos(): Promise<Video[]> {
    return (await this.#read<{ videos: Video[] }>("/api/videos?limit=500")).videos.sort((one, other) =>
      one.start_time.localeCompare(other.start_time),
    );
  }

  async gaps(): Promise<Gap[]> {
    return (await this.#read<{ gaps: Gap[] }>("/api/gaps?limit=500")).gaps;
  }

  /** Resolves when the hub has so many videos more than now. */
  async delivers(count: number, withinMs = 300_000): Promise<void> {
    const before = (await this.videos()).length;
    await until(`${count} videos more`, withinMs, async () => (await this.videos()).length >= before + count);
  }

  /** Resolves when the hub has a video that ends after `timeMs`. */
  async deliveredUntil(timeMs: number, withinMs = 300_000): Promise<void> {
    await until(`footage of ${new Date(timeMs).toISOString()} at the hub`, withinMs, async () =>
      (await this.videos()).some(({ end_time }) => Date.parse(end_time) > timeMs),
    );
  }

  /** Every video is whole where the catalog says, and nothing but they is there. Answers how many. */
  async verify(): Promise<number> {
    const videos = await this.videos();
    for (const { file_path } of videos) {
      const { ok, problems } = await verifyArchiveFile(join(this.archive, file_path));
      if (!ok) throw new Error(`${file_path} is not whole: ${JSON.stringify(problems)}`);
    }
    return videos.length;
  }

  /** What is in neither a video nor a gap, between two moments; there must be nothing. Seconds of gaps by cause. */
  async account(fromMs: number, toMs: number): Promise<Record<string, number>> {
    const spans = [
      ...(await this.videos()).map((each) => ({
        from: each.start_time,
        to: each.end_time,
        cause: undefined,
      })),
      ...(await this.gaps()).map((each) => ({ from: each.from_time, to: each.to_time, cause: each.cause })),
    ]
      .map(({ from, to, cause }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to), cause }))
      .filter((span) => span.toMs > fromMs && span.fromMs < toMs)
      .sort((one, other) => one.fromMs - other.fromMs);
    const seconds: Record<string, number> = {};
    let knownMs = spans[0]?.fromMs ?? 0;
    for (const span of spans) {
      // Two frames, and what milliseconds round off.
      if (span.fromMs - knownMs > 205) {
        throw new Error(
          `nothing is known of ${span.fromMs - knownMs} ms before ${new Date(span.fromMs).toISOString()}`,
        );
      }
      knownMs = Math.max(knownMs, span.toMs);
      if (span.cause) seconds[span.cause] = (seconds[span.cause] ?? 0) + (span.toMs - span.fromMs) / 1000;
    }
    return seconds;
  }

  async #read<T>(path: string): Promise<T> {
    const response = await this.hub.get(path);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** Throws, with what was waited for, when it does not come. */
export async function until(
  what: string,
  withinMs: number,
  condition: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1000} s for ${what}`);
    await Bun.sleep(500);
  }
}

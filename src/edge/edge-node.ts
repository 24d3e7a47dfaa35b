import type * as v from "valibot";
import type { Clock } from "../common/clock.ts";
import { protocolVersion } from "../common/protocol/announce.ts";
import type { ConnectionReport, EdgeStatus, ReloadReport, Upload } from "../common/protocol/control.ts";
import type {
  ConfigStatus,
  HeartbeatRequest,
  LinkStatus,
  RegisterRequest,
  UploadStatus,
} from "../common/protocol/node.ts";
import { formatWireTime } from "../common/protocol/wire.ts";
import { plainLine } from "./camera/plain-line.ts";
import type { Cameras } from "./cameras.ts";
import type { ConfigStore } from "./config-store.ts";
import type { ControlledCamera, ControlledFootage, ControlledNode } from "./control/controlled-node.ts";
import { createFootageToHub } from "./footage-to-hub.ts";
import type { AlertFacts } from "./health/alert-rules.ts";
import type { AlertWatch } from "./health/alert-watch.ts";
import type { ClockWatch } from "./health/clock-watch.ts";
import type { ErrorCounts } from "./health/error-counts.ts";
import type { SystemInfoReader } from "./health/system-info.ts";
import type { Heartbeat } from "./hub-link/heartbeat.ts";
import type { HubLink } from "./hub-link/hub-link.ts";
import { registrationOf } from "./registration.ts";
import type { ConfigState, Reloader, ReloadResult } from "./reload/reloader.ts";
import type { Spool } from "./spool/spool.ts";
import type { Uploader, UploaderStatus } from "./uploader/uploader.ts";
import type { WorkerDestination } from "./uploader/worker-destination.ts";

export interface EdgeNodeParts {
  store: Pick<ConfigStore, "config" | "version">;
  softwareVersion: string;
  timeZone: string;
  reloader: Pick<Reloader, "state" | "reload" | "push" | "read">;
  cameras: Pick<Cameras, "list" | "get">;
  spool: Spool;
  uploader: Uploader;
  destination: Pick<WorkerDestination, "abandonedWorkers">;
  hubStatus: () => ReturnType<Heartbeat["status"]>;
  linkState: () => ReturnType<HubLink["state"]>;
  system: SystemInfoReader;
  clockStatus: () => ReturnType<ClockWatch["status"]>;
  alerts: () => ReturnType<AlertWatch["list"]>;
  errorCounts: ErrorCounts;
  clock: Clock;
}

/** What the kernel tells of the machine costs ten files: the heartbeat has just read them. */
const alertMaxAgeMs = 30_000;

/** The running node as others see it: the hub in its reports, people through the control socket. */
export class EdgeNode implements ControlledNode {
  readonly #parts: EdgeNodeParts;
  readonly #startedAt: string;
  readonly footage: ControlledFootage;

  constructor(parts: EdgeNodeParts) {
    this.#parts = parts;
    this.#startedAt = formatWireTime(parts.clock.wallMs());
    this.footage = createFootageToHub({
      ...{ spool: parts.spool, uploader: parts.uploader },
      maxBytesPerSecond: () => parts.store.config.network.footage_max_bytes_per_second,
    });
  }

  registration(): RegisterRequest {
    const { store, softwareVersion, timeZone } = this.#parts;
    const { config, version: configVersion } = store;
    return registrationOf({ config, configVersion, softwareVersion, timeZone });
  }

  async report(): Promise<HeartbeatRequest> {
    const { store, reloader, softwareVersion, errorCounts, alerts, clock } = this.#parts;
    return {
      protocol_version: protocolVersion,
      sent_at: formatWireTime(clock.wallMs()),
      software_version: softwareVersion,
      config_version: store.version,
      config: configStatusOf(reloader.state()),
      ...(await this.#look(0)),
      link: linkStatusOf(this.#parts.linkState()),
      error_counts: errorCounts.toJSON(),
      alerts: alerts(),
    };
  }

  async alertFacts(): Promise<AlertFacts> {
    const { clock, reloader } = this.#parts;
    const { refusal } = configStatusOf(reloader.state());
    return {
      ...(await this.#look(alertMaxAgeMs)),
      nowMs: clock.wallMs(),
      configError: refusal ?? undefined,
      displaced: this.#parts.linkState().displaced,
    };
  }

  /** The machine as it was at most `maxAgeMs` ago, and the rest as it is. */
  async #look(maxAgeMs: number): Promise<Pick<HeartbeatRequest, "system" | "cameras" | "spool" | "uploads">> {
    const { system, clockStatus, hubStatus, cameras, spool, uploader } = this.#parts;
    return {
      system: {
        ...(await system.recent(maxAgeMs)),
        clock: { ...clockStatus(), ahead_of_hub_ms: hubStatus().aheadOfHubMs ?? null },
      },
      cameras: cameras.list().map((camera) => camera.status()),
      spool: spool.status(),
      uploads: uploadStatusOf(uploader.status()),
    };
  }

  async status(): Promise<EdgeStatus> {
    const { store, spool, uploader, destination, hubStatus } = this.#parts;
    const { protocol_version, sent_at, ...report } = await this.report();
    const { registered, lastHeartbeatMs, lastError, responseMs } = hubStatus();
    return {
      ...report,
      node_id: store.config.node_id,
      started_at: this.#startedAt,
      spool: spool.status(),
      uploads: uploadStatusOf(uploader.status()),
      hub: {
        url: store.config.network.hub_url,
        registered,
        last_heartbeat_at: lastHeartbeatMs === undefined ? null : formatWireTime(lastHeartbeatMs),
        last_error: lastError ?? null,
        response_ms: responseMs ?? null,
      },
      archive: {
        archive_id: spool.state.archiveId ?? null,
        abandoned_workers: destination.abandonedWorkers,
      },
    };
  }

  camera(id: string): ControlledCamera | undefined {
    return this.#parts.cameras.get(id);
  }

  uploads(): Upload[] {
    return this.#parts.uploader.list().map(
      (item): Upload => ({
        video_id: item.videoId,
        camera_id: item.cameraId,
        start_time: formatWireTime(item.startTimeMs),
        size_bytes: item.sizeBytes,
        state: item.state,
        progress: item.progress,
        eta_seconds: wholeOrNull(item.etaSeconds),
        last_error: item.lastError ?? null,
      }),
    );
  }

  cancelUpload(videoId: string): boolean {
    return this.#parts.uploader.cancel(videoId);
  }

  retryUpload(videoId: string): boolean {
    return this.#parts.uploader.retry(videoId);
  }

  async reload(): Promise<ReloadReport> {
    return reportOf(await this.#parts.reloader.reload());
  }

  async applyConfig(text: string, expectedVersion: string): Promise<ReloadReport> {
    return reportOf(await this.#parts.reloader.push(text, expectedVersion));
  }

  readConfig(): Promise<{ text: string; version: string }> {
    return this.#parts.reloader.read();
  }

  async checkArchive(): Promise<ConnectionReport> {
    const check = await this.#parts.uploader.checkConnection();
    if (!check.ok) return check;
    return { ok: true, archive_id: check.archiveId, free_bytes: check.freeBytes ?? null };
  }
}

function configStatusOf({ version, wantedVersion, needsRestart, refusal }: ConfigState): ConfigStatus {
  return {
    ...{ version, wanted_version: wantedVersion, needs_restart: [...needsRestart] },
    refusal: refusal === undefined ? null : plainLine(refusal),
  };
}

function reportOf({ version, wantedVersion, changes, cameras, needsRestart }: ReloadResult): ReloadReport {
  const { added, removed, restarted } = cameras;
  return {
    config_version: version,
    wanted_version: wantedVersion,
    changes,
    cameras: { added: added.map(({ id }) => id), removed, restarted: restarted.map(({ id }) => id) },
    needs_restart: needsRestart,
  };
}

function uploadStatusOf(status: UploaderStatus): v.InferInput<typeof UploadStatus> {
  const { state, bytesPerSecond, etaSeconds, lastError, failingSinceMs, archive, succeeded, failed } = status;
  return {
    state,
    bytes_per_second: wholeOrNull(bytesPerSecond),
    eta_seconds: wholeOrNull(etaSeconds),
    last_error: lastError === undefined ? null : plainLine(lastError),
    failing_since: failingSinceMs === undefined ? null : formatWireTime(failingSinceMs),
    ...{ archive, succeeded, failed },
  };
}

function linkStatusOf({
  isWanted,
  isConnected,
  sinceMs,
  lastError,
}: ReturnType<HubLink["state"]>): LinkStatus {
  return {
    ...{ enabled: isWanted, connected: isConnected },
    since: sinceMs === undefined ? null : formatWireTime(sinceMs),
    last_error: lastError ?? null,
  };
}

function wholeOrNull(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value);
}

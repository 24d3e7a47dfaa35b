/** @jsxImportSource hono/jsx */
import type { Child, FC } from "hono/jsx";
import type { NodeLinkState } from "../link/remote-nodes.ts";
import type { NodeInfo } from "../nodes/node-service.ts";
import { Badge } from "./badge.tsx";
import { NodeLink } from "./node-link.tsx";
import type { PageContext } from "./page-context.ts";
import { Ago } from "./time.tsx";

interface Props {
  page: PageContext;
  node: NodeInfo;
}

/** How a node is, as it told last. What it did not tell, as nodes of older releases do not, is left out. */
export const NodeFacts: FC<Props & { link: NodeLinkState }> = ({ page, node, link }) => {
  const { facts } = page.t.node;
  const { uploads, spool, systemInfo: system, errorCounts } = node;
  const rows: [string, Child][] = [];
  if (uploads) rows.push([facts.uploads, <Uploads page={page} uploads={uploads} />]);
  if (spool) {
    rows.push([facts.waiting, <Waiting page={page} spool={spool} />]);
    rows.push([facts.horizon, <Horizon page={page} spool={spool} />]);
  }
  if (system) {
    rows.push([facts.disk, diskText(page, system)]);
    rows.push([facts.machine, machineText(page, system)]);
    if (system.temperature_celsius !== null || system.throttling) {
      rows.push([facts.power, <Power page={page} system={system} />]);
    }
    if (system.clock) rows.push([facts.clock, <NodeClock page={page} clock={system.clock} />]);
  }
  if (Object.keys(errorCounts).length > 0) rows.push([facts.errors, errorsText(page, node)]);
  if (node.config) rows.push([facts.config, <Config page={page} config={node.config} />]);
  rows.push([facts.link, <NodeLink page={page} node={node} link={link} />]);
  rows.push([facts.address, <code>{node.ipAddress}</code>]);
  rows.push([facts.version, node.softwareVersion]);
  return (
    <dl class="node-facts">
      {rows.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
};

type System = NonNullable<NodeInfo["systemInfo"]>;

const archiveTones = { unreachable: "warn", other_archive: "bad", failing: "bad" } as const;

const Uploads: FC<{ page: PageContext; uploads: NonNullable<NodeInfo["uploads"]> }> = ({ page, uploads }) => {
  const { t, format } = page;
  const {
    state,
    bytes_per_second: speed,
    eta_seconds: eta,
    last_error: error,
    archive = "unknown",
  } = uploads;
  const words = [
    t.node.uploadStates[state],
    ...(state === "idle" || speed === null ? [] : [t.node.perSecond(format.size(speed))]),
    ...(state === "idle" || eta === null ? [] : [t.node.doneIn(format.duration(eta * 1000))]),
  ];
  const trouble = archive === "unknown" || archive === "reachable" ? undefined : archive;
  return (
    <>
      {words.join(", ")}
      {trouble && (
        <>
          {" "}
          <Badge tone={archiveTones[trouble]} text={t.node.archiveStates[trouble]} />
        </>
      )}
      {error !== null && (
        <span class="muted small detail" lang="en">
          {error}
        </span>
      )}
    </>
  );
};

interface SpoolProps {
  page: PageContext;
  spool: NonNullable<NodeInfo["spool"]>;
}

const Waiting: FC<SpoolProps> = ({ page, spool }) => {
  const { t, format } = page;
  const { waiting_segments: segments, waiting_bytes: bytes, oldest_waiting_at: oldestMs } = spool;
  const worries: [number, (count: string) => string][] = [
    [spool.lost_segments, t.node.lost],
    [spool.quarantined_segments ?? 0, t.node.quarantined],
    [spool.conflicting_segments ?? 0, t.node.conflicting],
  ];
  return (
    <>
      {segments === 0
        ? t.node.nothingWaits
        : t.node.waitingOf(t.day.videoCount(segments, format.number(segments)), format.size(bytes))}
      {segments > 0 && oldestMs !== null && <>, {t.node.waitingSince(format.ago(oldestMs, page.nowMs))}</>}
      {worries.map(
        ([count, say]) =>
          count > 0 && (
            <>
              {" "}
              <Badge tone="bad" text={say(format.number(count))} />
            </>
          ),
      )}
    </>
  );
};

const Horizon: FC<SpoolProps> = ({ page: { t, format }, spool }) => {
  const { horizon_seconds: seconds = null, pressure = "none" } = spool;
  return (
    <>
      {seconds === null ? t.node.notKnown : t.node.outage(format.duration(seconds * 1000))}
      {pressure !== "none" && (
        <>
          {" "}
          <Badge tone={pressure === "stopped" ? "bad" : "warn"} text={t.node.pressures[pressure]} />
        </>
      )}
    </>
  );
};

function diskText({ t, format }: PageContext, system: System): string {
  const { spool_free_bytes: free, spool_total_bytes: total } = system;
  return free === null || total === null ? "–" : t.node.freeOf(format.size(free), format.size(total));
}

function machineText({ t, format }: PageContext, system: System): string {
  const { model, cpu_usage: cpu, memory_total_bytes: total, memory_available_bytes: available } = system;
  return [
    ...(model === null ? [] : [model]),
    ...(cpu === null ? [] : [t.node.cpu(format.share(cpu))]),
    ...(total === 0 ? [] : [t.node.memory(format.share(1 - available / total))]),
  ].join(", ");
}

/** Temperature, and what the firmware of a Raspberry Pi complains about. */
const Power: FC<{ page: PageContext; system: System }> = ({ page: { t, format }, system }) => {
  const { temperature_celsius: celsius, throttling } = system;
  const namesOf = (flags: Readonly<Record<keyof typeof t.node.throttling, boolean>>) =>
    (Object.keys(t.node.throttling) as (keyof typeof flags)[])
      .filter((name) => flags[name])
      .map((name) => t.node.throttling[name]);
  const now = throttling ? namesOf(throttling.now) : [];
  const before = throttling ? namesOf(throttling.since_boot).filter((name) => !now.includes(name)) : [];
  const words = [
    ...(celsius === null ? [] : [`${format.number(celsius)}\u00a0°C`]),
    ...(before.length === 0 ? [] : [t.node.sinceBoot(before.join(", "))]),
    ...(throttling && now.length + before.length === 0 ? [t.node.powerFine] : []),
  ];
  return (
    <>
      {words.join(", ")}
      {now.map((name) => (
        <>
          {" "}
          <Badge tone="warn" text={name} />
        </>
      ))}
    </>
  );
};

/** A difference that nobody would see is none. */
const seenMs = 500;

const NodeClock: FC<{ page: PageContext; clock: NonNullable<System["clock"]> }> = ({
  page: { t, format },
  clock,
}) => {
  const ahead = clock.ahead_of_hub_ms ?? 0;
  const difference = format.duration(Math.max(1000, Math.abs(ahead)));
  return (
    <>
      {clock.state === "unsynced" ? (
        <Badge tone="warn" text={t.node.clockStates.unsynced} />
      ) : (
        t.node.clockStates[clock.state]
      )}
      {clock.source !== null && <span class="muted"> ({clock.source})</span>}
      {Math.abs(ahead) >= seenMs && (
        <>, {ahead > 0 ? t.node.clockAhead(difference) : t.node.clockBehind(difference)}</>
      )}
    </>
  );
};

/** What of the file is not in force, and why. */
const Config: FC<{ page: PageContext; config: NonNullable<NodeInfo["config"]> }> = ({
  page: { t },
  config: { version, needs_restart: settings, refusal },
}) => (
  <>
    <code>{version}</code>
    {settings.length > 0 && (
      <>
        {" "}
        <Badge tone="warn" text={t.node.needsRestart} />
        <span class="muted small detail">{settings.join(", ")}</span>
      </>
    )}
    {refusal !== null && (
      <>
        {" "}
        <Badge tone="bad" text={t.node.configRefused} />
        <span class="muted small detail" lang="en">
          {refusal}
        </span>
      </>
    )}
  </>
);

function errorsText({ format }: PageContext, { errorCounts }: NodeInfo): string {
  const counts = Object.entries(errorCounts).sort(([, a], [, b]) => b - a);
  const shown = counts.slice(0, 5).map(([module, count]) => `${module} ${format.number(count)}`);
  return shown.join(", ") + (counts.length > 5 ? ", …" : "");
}

/** When it was heard last. */
export const LastHeard: FC<Props> = ({ page, node: { lastHeartbeatMs } }) => (
  <span class="muted small">
    {page.t.node.lastHeartbeat}{" "}
    {lastHeartbeatMs === null ? page.t.node.never : <Ago page={page} ms={lastHeartbeatMs} />}
  </span>
);

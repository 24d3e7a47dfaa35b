import type { AlertParams, AlertSeverity } from "../../common/protocol/alert.ts";
import type { HeartbeatRequest } from "../../common/protocol/node.ts";

/** What the rules look at: the node as its heartbeat tells it, and what only it knows. */
export interface AlertFacts extends Pick<HeartbeatRequest, "system" | "cameras" | "spool" | "uploads"> {
  /** Wall time, ms since 1970 UTC. */
  nowMs: number;
  /** Why a changed config was refused; undefined while the one in force is the one in the file. */
  configError: string | undefined;
  /** How often another process that speaks for this node took its link to the hub. */
  displaced: number;
}

export interface AlertThresholds {
  /** Starts of a camera in a row that failed. */
  cameraFailures: number;
  horizonSeconds: number;
  uploadsFailingMs: number;
  waitingMs: number;
  pausedMs: number;
  temperatureCelsius: number;
}

/** Something that may be wrong. What it is called, and its params, stand in docs/alerts.md. */
export interface Condition {
  code: AlertCode;
  /** Null: of the whole node. */
  cameraId: string | null;
  severity: AlertSeverity;
  /** Undefined: nobody can tell; what was said before stays. */
  holds: boolean | undefined;
  /** For what is no state but happens: how often, so far. It holds when that grows, and for `quietMs` after. */
  counter?: { count: number; quietMs: number };
  message: string;
  params: AlertParams;
  /** How long it has to hold before it is told, and how long not before it is over: no storm out of a flutter. */
  raiseAfterMs: number;
  clearAfterMs: number;
}

export const alertCodes = [
  "camera_down",
  "camera_slow",
  "camera_paused",
  "spool_failing",
  "spool_compressed",
  "spool_full",
  "horizon_short",
  "segments_lost",
  "segments_quarantined",
  "segments_conflicting",
  "uploads_failing",
  "waiting_long",
  "archive_mismatch",
  "clock_unsynced",
  "clock_off",
  "under_voltage",
  "throttled",
  "temperature_high",
  "config_refused",
  "node_id_taken",
] as const;
export type AlertCode = (typeof alertCodes)[number];

const minuteMs = 60_000;
/** A camera that cannot be said to have failed, but gives nothing either, is down after so long. */
const silentMs = 90_000;
/** Of the frames that a camera is asked for: fewer than the first are too few, more than the second are enough. */
const slowShare = { raise: 0.6, clear: 0.75 };
/** Between the node's clock and the hub's. */
const clockOffMs = { raise: 5_000, clear: 3_000 };
/** Two with one id take the link from each other every two minutes. */
const displacedQuietMs = 10 * minuteMs;
/** Loss is told of for so long after it happened. */
const lossQuietMs = 60 * minuteMs;

/**
 * All that may be wrong with a node, and whether it is. Pure. `isActive` tells what is being alerted of, so that a
 * figure that came over its threshold has to fall some way below before it is over.
 */
export function conditionsOf(
  facts: AlertFacts,
  thresholds: AlertThresholds,
  isActive: (code: AlertCode, cameraId: string | null) => boolean,
): Condition[] {
  const over = (code: AlertCode, raise: number, clear: number) => (isActive(code, null) ? clear : raise);
  return [
    ...facts.cameras.flatMap((camera) => ofCamera(camera, facts.nowMs, thresholds, isActive)),
    ...ofSpool(facts, thresholds, over),
    ...ofUploads(facts, thresholds),
    ...ofMachine(facts, thresholds, over),
    {
      ...ofNode("config_refused", "warning", facts.configError !== undefined),
      message: `the changed config is refused, the one before stays in force: ${facts.configError ?? ""}`,
      params: { error: facts.configError ?? "" },
    },
    {
      ...ofNode("node_id_taken", "warning", undefined),
      counter: { count: facts.displaced, quietMs: displacedQuietMs },
      message: "another livecam-edge has this node's id: what the two record and tell is mixed up at the hub",
    },
  ];
}

type Over = (code: AlertCode, raise: number, clear: number) => number;

/** Told at once, over at once, until said otherwise. */
function ofNode(code: AlertCode, severity: AlertSeverity, holds: boolean | undefined) {
  return { code, severity, holds, cameraId: null, raiseAfterMs: 0, clearAfterMs: 0, params: {} };
}

function ofCamera(
  camera: AlertFacts["cameras"][number],
  nowMs: number,
  { cameraFailures, pausedMs }: AlertThresholds,
  isActive: (code: AlertCode, cameraId: string | null) => boolean,
): Condition[] {
  const { camera_id: cameraId, state, fps, fps_asked: asked, spool_failing: isSpoolFailing = false } = camera;
  const failures = camera.failures_in_row ?? 0;
  const hasFailed = failures >= cameraFailures || (camera.fallback_since ?? null) !== null;
  const givesNothing =
    !isSpoolFailing && (state === "starting" || state === "stalled" || state === "retrying");
  const share = isActive("camera_slow", cameraId) ? slowShare.clear : slowShare.raise;
  const isMeasured = state === "recording" && fps !== null && (asked ?? null) !== null;
  const why = camera.message ?? "no picture comes";
  const pausedSince = camera.paused_since ?? null;
  return [
    {
      ...{ code: "camera_down", cameraId, severity: "critical" },
      holds: givesNothing,
      message: `the camera gives nothing: ${why}`,
      params: {
        failures,
        error: why,
        ...(camera.last_fragment_at !== null && { last_picture: camera.last_fragment_at }),
      },
      raiseAfterMs: hasFailed ? 0 : silentMs,
      clearAfterMs: state === "recording" ? 10_000 : 0,
    },
    {
      ...{ code: "camera_slow", cameraId, severity: "warning" },
      holds: isMeasured ? (fps as number) < (asked as number) * share : undefined,
      message: `the camera gives ${fps} of ${asked} frames a second`,
      params: { fps: fps ?? 0, fps_asked: asked ?? 0 },
      raiseAfterMs: minuteMs,
      clearAfterMs: minuteMs,
    },
    {
      ...{ code: "camera_paused", cameraId, severity: "warning" },
      // Nobody knows how long: it may be long.
      holds: state === "paused" && (pausedSince === null || nowMs - Date.parse(pausedSince) >= pausedMs),
      message: "the camera is paused for long: nothing is recorded until somebody resumes it",
      params: { ...(pausedSince !== null && { since: pausedSince }) },
      raiseAfterMs: 0,
      clearAfterMs: 0,
    },
    {
      ...{ code: "spool_failing", cameraId, severity: "critical" },
      holds: isSpoolFailing,
      message: `pictures come, and the disk of the spool takes none: ${why}`,
      params: { error: why },
      raiseAfterMs: 0,
      clearAfterMs: 10_000,
    },
  ];
}

function ofSpool({ spool }: AlertFacts, { horizonSeconds }: AlertThresholds, over: Over): Condition[] {
  const {
    pressure = "none",
    horizon_seconds: horizon = null,
    quarantined_segments: quarantined = 0,
    conflicting_segments: conflicting = 0,
    lost_segments: lost,
  } = spool;
  const shortSeconds = over("horizon_short", horizonSeconds, horizonSeconds * 1.2);
  return [
    {
      ...ofNode("spool_compressed", "warning", pressure === "compressed"),
      message: "the disk of the spool fills: cameras are asked for less",
    },
    {
      ...ofNode("spool_full", "critical", pressure === "stopped"),
      message: "the disk of the spool is full: nothing is recorded until there is room",
    },
    {
      ...ofNode("horizon_short", "warning", horizon === null ? undefined : horizon < shortSeconds),
      ...{ raiseAfterMs: minuteMs, clearAfterMs: minuteMs },
      message: `the spool survives an outage of ${Math.round((horizon ?? 0) / 60)} minutes only`,
      params: { horizon_seconds: horizon ?? 0 },
    },
    {
      ...ofNode("segments_lost", "critical", undefined),
      counter: { count: lost, quietMs: lossQuietMs },
      message: "segments were deleted before they were safe, to make room for newer ones",
      params: { lost_segments: lost },
    },
    {
      ...ofNode("segments_quarantined", "warning", quarantined > 0),
      message: `${quarantined} damaged segments are set aside in the spool for somebody to look at`,
      params: { quarantined_segments: quarantined },
    },
    {
      ...ofNode("segments_conflicting", "critical", conflicting > 0),
      message: `the hub has something else under the id or path of ${conflicting} segments`,
      params: { conflicting_segments: conflicting },
    },
  ];
}

function ofUploads({ spool, uploads, nowMs }: AlertFacts, thresholds: AlertThresholds): Condition[] {
  const { uploadsFailingMs, waitingMs } = thresholds;
  const error = uploads?.last_error ?? "";
  const failingSince = uploads?.failing_since ?? null;
  const archive = uploads?.archive ?? "unknown";
  const waits = spool.oldest_waiting_at;
  const ageMs = waits === null ? 0 : nowMs - Date.parse(waits);
  const isClosed = uploads?.state === "outside_window";
  return [
    {
      ...ofNode("uploads_failing", "warning", failingSince !== null),
      raiseAfterMs: uploadsFailingMs,
      message: `no upload succeeds: ${error}`,
      params: { error, ...(failingSince !== null && { since: failingSince }) },
    },
    {
      ...ofNode("waiting_long", "warning", isClosed ? undefined : ageMs > waitingMs),
      ...{ raiseAfterMs: minuteMs, clearAfterMs: minuteMs },
      message: `${spool.waiting_segments} segments wait to be archived, the oldest since ${waits}`,
      params: { waiting_segments: spool.waiting_segments, ...(waits !== null && { since: waits }) },
    },
    {
      ...ofNode(
        "archive_mismatch",
        "critical",
        archive === "unknown" ? undefined : archive === "other_archive",
      ),
      message: `the archive is not the hub's, nothing is written to it: ${error}`,
      params: { error },
    },
  ];
}

function ofMachine({ system }: AlertFacts, { temperatureCelsius }: AlertThresholds, over: Over): Condition[] {
  const { throttling, clock, temperature_celsius: celsius } = system;
  const now = throttling?.now;
  const ahead = clock?.ahead_of_hub_ms ?? null;
  const offMs = over("clock_off", clockOffMs.raise, clockOffMs.clear);
  const hotCelsius = over("temperature_high", temperatureCelsius, temperatureCelsius - 5);
  return [
    {
      ...ofNode("clock_unsynced", "warning", clock && clock.state === "unsynced"),
      raiseAfterMs: 5 * minuteMs,
      message: "the clock is not set: what is recorded gets its date when it is",
    },
    {
      ...ofNode("clock_off", "warning", ahead === null ? undefined : Math.abs(ahead) > offMs),
      ...{ raiseAfterMs: minuteMs, clearAfterMs: minuteMs },
      message: `the clock is ${Math.abs(ahead ?? 0) / 1000} s ${(ahead ?? 0) < 0 ? "behind" : "ahead of"} the hub's`,
      params: { ahead_of_hub_ms: ahead ?? 0 },
    },
    {
      // It comes and goes in moments.
      ...ofNode("under_voltage", "warning", now?.under_voltage),
      clearAfterMs: 10 * minuteMs,
      message: "the power supply is too weak: under-voltage",
    },
    {
      ...ofNode(
        "throttled",
        "warning",
        now && (now.throttled || now.frequency_capped || now.soft_temperature_limit),
      ),
      ...{ raiseAfterMs: minuteMs / 2, clearAfterMs: 10 * minuteMs },
      message: "the processor is slowed down, by heat or a weak power supply",
    },
    {
      ...ofNode("temperature_high", "warning", celsius === null ? undefined : celsius >= hotCelsius),
      ...{ raiseAfterMs: minuteMs / 2, clearAfterMs: minuteMs },
      message: `the processor is ${celsius} °C hot`,
      params: { temperature_celsius: celsius ?? 0 },
    },
  ];
}

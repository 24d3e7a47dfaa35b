import * as v from "valibot";
import { SecretSource } from "../common/secret.ts";
import type { AlertThresholds } from "./health/alert-rules.ts";

const hours = v.pipe(
  v.number(),
  v.minValue(0, "at least 0 hours"),
  v.maxValue(10_000, "at most 10000 hours"),
);
const minutes = v.pipe(
  v.number(),
  v.minValue(0, "at least 0 minutes"),
  v.maxValue(100_000, "at most 100000 minutes"),
);

const Listen = v.pipe(
  v.string(),
  v.regex(
    /^(?:\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/i,
    "an address and a port such as 127.0.0.1:9464 or [::1]:9464",
  ),
  v.check((text) => listenAddressOf(text).port <= 65_535, "a port of at most 65535"),
);

/** When the node tells the hub that something is wrong. */
export const AlertConfig = v.strictObject({
  /** Starts of a camera in a row that failed. */
  camera_failures: v.optional(
    v.pipe(v.number(), v.safeInteger("a whole number of failures"), v.minValue(1, "at least 1 failure")),
    5,
  ),
  /** A spool that survives a shorter outage than this, at today's bitrate. */
  horizon_hours: v.optional(hours, 3),
  /** No upload has succeeded for so long, although they were tried. */
  uploads_failing_minutes: v.optional(minutes, 10),
  /** A segment that waits longer than this; with upload windows, a day longer. */
  waiting_minutes: v.optional(minutes, 60),
  /** A camera that is paused for longer than this may have been forgotten. */
  paused_hours: v.optional(hours, 12),
  /** Of the processor. A Raspberry Pi slows down from 80. */
  temperature_celsius: v.optional(
    v.pipe(v.number(), v.minValue(20, "at least 20 °C"), v.maxValue(120, "at most 120 °C")),
    80,
  ),
});
export type AlertConfig = v.InferOutput<typeof AlertConfig>;

export const HealthConfig = v.pipe(
  v.strictObject({
    /** Where Prometheus can read the metrics; without it nowhere. */
    metrics_listen: v.optional(Listen),
    /** What it has to show, as `Authorization: Bearer …`. */
    metrics_token: v.optional(SecretSource),
    /** Whoever reaches the address may read them without a token. */
    metrics_public: v.optional(v.boolean(), false),
    alerts: v.optional(AlertConfig, {}),
  }),
  v.forward(
    v.partialCheck(
      [["metrics_listen"], ["metrics_token"], ["metrics_public"]],
      ({ metrics_listen, metrics_token, metrics_public }) =>
        metrics_listen === undefined ||
        metrics_token !== undefined ||
        metrics_public ||
        isLoopback(listenAddressOf(metrics_listen).hostname),
      "a loopback address; others need health.metrics_token, or health.metrics_public: true",
    ),
    ["metrics_listen"],
  ),
);
export type HealthConfig = v.InferOutput<typeof HealthConfig>;

const dayMs = 86_400_000;

/** Where uploads may only start at some times of the day, segments wait for the next. */
export function alertThresholdsOf(config: {
  health: { alerts: AlertConfig };
  upload: { windows?: readonly string[] | undefined };
}): AlertThresholds {
  const { alerts } = config.health;
  return {
    cameraFailures: alerts.camera_failures,
    horizonSeconds: alerts.horizon_hours * 3600,
    uploadsFailingMs: alerts.uploads_failing_minutes * 60_000,
    waitingMs: alerts.waiting_minutes * 60_000 + (config.upload.windows ? dayMs : 0),
    pausedMs: alerts.paused_hours * 3_600_000,
    temperatureCelsius: alerts.temperature_celsius,
  };
}

/** `127.0.0.1:9464` in its parts; an IPv6 address without its brackets. */
export function listenAddressOf(text: string): { hostname: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { hostname: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

function isLoopback(hostname: string): boolean {
  return /^(?:127\.\d+\.\d+\.\d+|localhost|::1)$/i.test(hostname);
}

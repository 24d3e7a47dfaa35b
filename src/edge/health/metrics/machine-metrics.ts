import { counter, gauge, inSeconds, type Metric, secondsOf } from "./metric.ts";

/** The machine that it runs on, its clock, and the hub it talks to. */
export const machineMetrics: readonly Metric[] = [
  gauge(
    "machine_cpu_usage_ratio",
    "Of all cores, since it was last looked at; 0 to 1.",
    ({ system }) => system.cpu_usage,
  ),
  gauge("machine_cpus", "Cores.", ({ system }) => system.cpu_count),
  gauge("machine_load1", "Processes that run or wait, over a minute.", ({ system }) => system.load_1m),
  gauge("machine_memory_total_bytes", "Memory of the machine.", ({ system }) => system.memory_total_bytes),
  gauge(
    "machine_memory_available_bytes",
    "Memory that can be had without swapping.",
    ({ system }) => system.memory_available_bytes,
  ),
  gauge("machine_temperature_celsius", "Of the processor.", ({ system }) => system.temperature_celsius),
  counter(
    "machine_network_receive_bytes_total",
    "By all interfaces but the loopback, since boot.",
    ({ system }) => system.network_received_bytes,
  ),
  counter(
    "machine_network_transmit_bytes_total",
    "By all interfaces but the loopback, since boot.",
    ({ system }) => system.network_sent_bytes,
  ),
  gauge("machine_uptime_seconds", "Since the boot.", ({ system }) => system.uptime_seconds),
  {
    name: "machine_throttled",
    type: "gauge",
    help: "What the firmware of a Raspberry Pi complains about, now or since the boot; 1 if it does.",
    labels: ["reason", "when"],
    samples: ({ system: { throttling } }) =>
      throttling
        ? (["now", "since_boot"] as const).flatMap((when) =>
            Object.entries(throttling[when]).map(([reason, is]) => ({
              labels: { reason, when },
              value: Number(is),
            })),
          )
        : [],
  },
  gauge(
    "clock_synced",
    "1: the clock is set. 0: it is not. Left out where nobody tells.",
    ({ system: { clock } }) => (clock && clock.state !== "unknown" ? clock.state === "synced" : undefined),
  ),
  gauge("clock_ahead_of_hub_seconds", "How far the clock is ahead of the hub's.", ({ system: { clock } }) =>
    inSeconds(clock?.ahead_of_hub_ms),
  ),
  gauge("hub_registered", "1 when the hub knows this node.", ({ hub }) => hub.registered),
  gauge(
    "hub_last_heartbeat_timestamp_seconds",
    "When the hub last answered one, seconds since 1970.",
    ({ hub }) => secondsOf(hub.last_heartbeat_at),
  ),
  gauge("hub_response_seconds", "How long the hub took to answer the last heartbeat.", ({ hub }) =>
    inSeconds(hub.response_ms),
  ),
  gauge(
    "hub_link_connected",
    "1 while the hub can ask something of this node.",
    ({ link }) => link?.connected,
  ),
];

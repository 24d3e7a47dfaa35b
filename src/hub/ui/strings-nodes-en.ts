import type { GapCause } from "../../common/protocol/gap.ts";

/** English words of nodes and what is wrong with them; part of strings-en.ts. */
export const nodesInEnglish = {
  states: {
    online: "Online",
    late: "Late",
    offline: "Offline",
    never_seen: "Never seen",
  },
  none: "No nodes yet",
  noneHint: "Create a key with “livecam-hub key create” and put it into the config of livecam-edge.",
  cameras: "Cameras",
  noCameras: "No camera",
  lastHeartbeat: "Last heartbeat",
  never: "never",
  facts: {
    uploads: "Uploads",
    waiting: "Waiting to be archived",
    horizon: "Survives without archive",
    disk: "Disk of the spool",
    machine: "Machine",
    power: "Power and heat",
    clock: "Clock",
    config: "Configuration",
    link: "Link",
    address: "Address",
    version: "Version",
    errors: "Errors since start",
  },
  needsRestart: "Needs a restart",
  configRefused: "Changed file refused",
  linkStates: { connected: "Linked", disconnected: "Not linked", off: "Switched off" },
  waitingOf: (segments: string, size: string) => `${segments} (${size})`,
  waitingSince: (ago: string) => `the oldest from ${ago}`,
  nothingWaits: "nothing",
  lost: (count: string) => `${count} lost`,
  quarantined: (count: string) => `${count} set aside`,
  conflicting: (count: string) => `${count} in conflict`,
  uploadStates: {
    idle: "Nothing to do",
    uploading: "Uploading",
    retrying: "Trying again",
    outside_window: "Not now, by its config",
  },
  archiveStates: {
    unreachable: "Archive away",
    other_archive: "Another archive",
    failing: "Archive takes nothing",
  },
  perSecond: (size: string) => `${size}/s`,
  doneIn: (duration: string) => `done in ${duration}`,
  outage: (duration: string) => `an outage of ${duration}`,
  notKnown: "not known",
  pressures: {
    compressed: "Fills: cameras are asked for less",
    stopped: "Full: nothing is recorded",
  },
  freeOf: (free: string, total: string) => `${free} of ${total} free`,
  cpu: (share: string) => `CPU ${share}`,
  memory: (share: string) => `memory ${share}`,
  throttling: {
    under_voltage: "Under-voltage",
    frequency_capped: "Clock capped",
    throttled: "Slowed down",
    soft_temperature_limit: "Temperature limit",
  },
  sinceBoot: (what: string) => `since the boot: ${what}`,
  powerFine: "as it should be",
  clockStates: { synced: "Set", unsynced: "Not set", unknown: "Nothing tells" },
  clockAhead: (duration: string) => `${duration} ahead of the hub`,
  clockBehind: (duration: string) => `${duration} behind the hub`,
  fpsOf: (fps: string, asked: string) => `${fps} of ${asked} frames/s`,
  fps: (fps: string) => `${fps} frames/s`,
  restarts: (count: number, text: string) => (count === 1 ? "1 restart" : `${text} restarts`),
  pausedFor: (duration: string) => `Paused for ${duration}`,
  noSignalFor: (duration: string) => `No signal for ${duration}`,
  lastPicture: (ago: string) => `last picture ${ago}`,
};

/** English words of what is missing. */
export const gapsInEnglish = {
  title: "What is missing",
  causes: {
    node_stopped: "Node switched off",
    node_down: "Node not running",
    camera_failed: "No picture from the camera",
    paused: "Paused",
    reconfigured: "Settings changed",
    disk_full: "Disk of the node full",
    disk_error: "Disk of the node failed",
    evicted_unsent: "Deleted before it was archived",
    damaged: "Damaged before it was archived",
    clock_stepped: "Clock set forward",
    unknown: "Unknown",
  } satisfies Record<GapCause, string>,
  /** What nodes say of causes in words that are always the same. */
  details: {
    "no picture since the start": "no picture since the start",
    "the edge was not running, or its disk took nothing":
      "the edge was not running, or its disk took nothing",
  } as Record<string, string>,
  times: (count: string) => `${count} times`,
  missing: (duration: string, share: string) =>
    `${duration} missing: ${share} of the expected time is recorded`,
  longestOf: (shown: string, all: string) => `The longest ${shown} of ${all} are listed.`,
  truncated: (count: string) => `Only the first ${count} gaps of this day are known here.`,
  mock: "A “no signal” picture was recorded; it is no footage",
};

/** English sentences about what is wrong, by code; alert-text.ts has the figures that each takes. */
export const alertsInEnglish = {
  title: "What is wrong",
  severities: { critical: "Critical", warning: "Warning" },
  times: (count: string) => `${count} times`,
  sayings: {
    camera_down: () => "The camera gives nothing.",
    camera_slow: (fps: string, asked: string) => `The camera gives ${fps} of ${asked} frames a second.`,
    camera_paused: () => "The camera is paused for long. Nothing is recorded until somebody resumes it.",
    spool_failing: () => "Pictures come, and the disk of the spool takes none of them.",
    spool_compressed: () => "The disk of the spool fills: cameras are asked for less.",
    spool_full: () => "The disk of the spool is full: nothing is recorded until there is room.",
    horizon_short: (duration: string) => `The spool survives an outage of ${duration} only.`,
    segments_lost: () => "Recordings were deleted before they were safe, to make room for newer ones.",
    segments_quarantined: (count: string) =>
      `Damaged recordings are set aside in the spool: ${count}. Somebody should look at them.`,
    segments_conflicting: (count: string) =>
      `The hub has something else under the id or path of recordings: ${count}.`,
    uploads_failing: () => "No upload succeeds.",
    waiting_long: (count: string) => `Recordings wait for long to be archived: ${count}.`,
    archive_mismatch: () => "The archive is not the hub's. Nothing is written to it.",
    clock_unsynced: () => "The clock is not set. What is recorded gets its date when it is.",
    clock_off: (duration: string) => `The clock is off the hub's by ${duration}.`,
    under_voltage: () => "The power supply is too weak: under-voltage.",
    throttled: () => "The processor is slowed down, by heat or a weak power supply.",
    temperature_high: (temperature: string) => `The processor is ${temperature} hot.`,
    config_refused: () => "The changed config is refused; the one before stays in force.",
    node_id_taken: () =>
      "Another machine has this node's id: what the two record and tell is mixed up. Give one of them another.",
    node_offline: () => "The node is off, or cannot reach this hub.",
  } satisfies Record<string, (...figures: string[]) => string>,
};

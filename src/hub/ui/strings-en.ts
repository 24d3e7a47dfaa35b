import { alertsInEnglish, gapsInEnglish, nodesInEnglish } from "./strings-nodes-en.ts";
import { playerInEnglish } from "./strings-player-en.ts";

/** English. Its shape is what every other language must fill. */
export const english = {
  languageName: "English",
  skipToContent: "Skip to content",
  mainNavigation: "Main",
  signedInAs: (name: string) => `Signed in as ${name}`,

  cameras: "Cameras",
  nodes: "Nodes",
  health: "Health",
  account: "Account",

  camera: {
    states: {
      starting: "Starting",
      recording: "Recording",
      paused: "Paused",
      stalled: "No pictures",
      retrying: "Trying again",
      stopped: "Stopped",
      unknown: "No contact",
    },
    /** A second line where the state alone does not say what to do. */
    hints: {
      stalled: "The camera's program runs, but no pictures come.",
      retrying: "The camera failed and is started again.",
      unknown: "Its node is switched off, offline, or cannot reach this hub.",
    },
    pause: "Pause",
    resume: "Resume",
    lastVideo: (ago: string) => `Last video ${ago}`,
    noPictureYet: "No picture yet",
    pictureOf: (name: string) => `Newest picture of ${name}`,
    none: "No cameras yet",
    noneHint: "A camera appears here as soon as its node has registered with this hub.",
    count: (count: number, text: string) => (count === 1 ? "1 camera" : `${text} cameras`),
    recordingCount: (recording: string, all: string) => `${recording} of ${all} recording`,
  },

  wall: {
    live: "Live",
    /** On a picture that moves. */
    liveMark: "Live",
    liveOf: (name: string) => `Live: ${name}`,
    columns: "Columns",
    auto: "Auto",
    fullScreen: "Full screen",
    fullScreenOf: (name: string) => `Full screen: ${name}`,
    limit: "At most 9 cameras are shown live at once. The others show their newest picture.",
    heartbeat: (ago: string) => `Heartbeat ${ago}`,
    noHeartbeat: "No heartbeat yet",
  },

  day: {
    previousDay: "Previous day with video",
    nextDay: "Next day with video",
    calendar: "Choose a day",
    previousMonth: "Earlier",
    nextMonth: "Later",
    noVideos: "Nothing was recorded on this day",
    noVideosEver: "This camera has no videos yet",
    noVideosHint: "Videos appear here as soon as they are in the archive.",
    latest: "Go to the newest day",
    recorded: (duration: string, share: string) => `${duration} recorded, ${share} of the day`,
    recordedSoFar: (duration: string, share: string) => `${duration} recorded, ${share} of the day so far`,
    videoCount: (count: number, text: string) => (count === 1 ? "1 video" : `${text} videos`),
    coverage: "What is recorded, hour by hour",
    hourLabel: (hour: string, minutes: string) => `${hour}: ${minutes} min recorded`,
    hourEmpty: (hour: string) => `${hour}: nothing recorded`,
    oneHourShown: "The day has many videos: one hour is shown. Choose another in the strip above.",
    truncated: (count: string) => `Only the first ${count} videos of this day are shown.`,
    zone: (zone: string) => `Times in ${zone}`,
    videoAt: (time: string) => `Video at ${time}`,
  },

  onEdge: {
    title: "Still on the camera's node",
    hint: "Not in the archive yet: it is uploaded as soon as its turn comes.",
    asOf: (time: string) => `As of ${time}.`,
    recording: "being recorded",
    waiting: "on the edge",
    uploading: (share: string) => `uploading ${share}`,
    newestOf: (count: string) => `The newest ${count} are shown.`,
    playing: "It comes from the camera's node. What is played is archived next.",
    fetch: "Archive it next",
  },

  live: {
    link: "Live",
    title: (name: string) => `${name}, live`,
    recordings: "Recordings",
    save: "Save picture",
    float: "Picture in picture",
    recorded: "Watch what was recorded",
    connecting: "Connecting to the camera …",
    playing: "As it is now, a second or two late.",
    paused:
      "The camera is paused: it gives no picture until it is resumed, also after a restart of its node.",
    pausedSince: (time: string) => `Paused since ${time}.`,
    away: "The camera's node cannot be reached. The picture comes as soon as it can.",
    unsupported: "This browser cannot play what the camera sends. The picture above is its newest.",
  },

  save: {
    from: "From",
    to: "To",
    others: "Other cameras, too",
    clip: "Save as one video",
    evidence: "Save as evidence",
    hint: "One video: exactly this time, up to six hours; of several cameras one each, as a ZIP. Evidence: the original files around it with their hashes, as a ZIP.",
  },

  video: {
    statuses: {
      available: "Available",
      damaged: "Damaged",
      missing: "Not in the archive",
      deleted: "Deleted",
    },
    notices: {
      damaged: "The file is not what was recorded. What is whole of it plays; the rest is lost.",
      missing: "The archive has no such file. If it comes back, the video plays again.",
      deleted: "This video was removed from the archive. Its entry remains, so that the hole has a cause.",
    },
    mock: "No signal",
    mockNotice:
      "The camera gave no picture at this time. Its node recorded this one instead; it does not count as footage.",
    previous: "Previous",
    next: "Next",
    previousOf: (time: string) => `Previous video, ${time}`,
    nextOf: (time: string) => `Next video, ${time}`,
    download: "Download",
    downloadOf: (size: string) => `Download (${size})`,
    backToDay: (day: string) => `All of ${day}`,
    playerLabel: (camera: string, time: string) => `Video of ${camera}, ${time}`,
    facts: "Details",
    start: "Start",
    end: "End",
    duration: "Length",
    resolution: "Picture",
    fps: (fps: string) => `${fps} frames/s`,
    codec: "Codec",
    size: "Size",
    node: "Node",
    file: "File",
    clock: "Clock",
    clockStates: {
      synced: "Synchronised",
      unsynced: "Not synchronised: the times may be wrong",
      corrected: "Corrected after recording",
    },
    recordedHash: "SHA-256 as recorded",
    fileHash: "SHA-256 of the file",
    notes: "Notes",
    status: "State",
  },

  player: playerInEnglish,
  node: nodesInEnglish,
  alerts: alertsInEnglish,
  gap: gapsInEnglish,

  healthPage: {
    overall: {
      ok: "Everything works",
      degraded: "Something needs attention",
      down: "Something does not work",
    },
    states: { ok: "OK", degraded: "Needs attention", down: "Down" },
    parts: { catalog: "Catalog", archive: "Archive", nodes: "Nodes", disk: "Disk" },
    about: {
      catalog: "The list of all videos",
      archive: "The files on the storage",
      nodes: "The machines that record",
      disk: "The hub's own disk",
    },
    /** The part's state in a sentence; what the hub found out stands below it where it is not well. */
    sayings: {
      catalog: {
        ok: "It answers.",
        degraded: "It answers, but not as it should.",
        down: "It does not answer. Nothing can be found or stored.",
      },
      archive: {
        ok: "It is there and has room.",
        degraded: "It can be read, but something is not right.",
        down: "It cannot be reached. Videos do not play until it is back.",
      },
      nodes: {
        ok: "All of them are in contact.",
        degraded: "Not all of them are in contact.",
        down: "None of them is in contact.",
      },
      disk: {
        ok: "There is room.",
        degraded: "It is nearly full.",
        down: "It is full, or cannot be read.",
      },
    },
    figureNames: {
      answer_ms: "Answer took",
      free_bytes: "Free",
      total_bytes: "In all",
      archive_id: "Archive",
      found_archive_id: "Archive found",
      online: "Online",
      late: "Late",
      offline: "Offline",
      never_seen: "Never seen",
      critical_alerts: "Critical alerts",
      warning_alerts: "Warnings",
    },
    checked: (ago: string) => `Checked ${ago}`,
    version: "Version",
    uptime: "Running for",
  },

  login: {
    title: "Sign in",
    username: "User name",
    password: "Password",
    submit: "Sign in",
    problems: {
      wrong_credentials: "User name or password is wrong.",
      too_many_attempts: "Too many attempts.",
      busy: "The hub is busy. Please try again in a moment.",
      other_site: "The form was not sent from this page. Please try again.",
      bad_input: "Please enter a user name and a password.",
    },
    retryAfter: (duration: string) => `Try again in ${duration}.`,
  },

  accountPage: {
    role: "Role",
    roles: { admin: "Administrator", viewer: "Viewer" },
    language: "Language",
    signOut: "Sign out",
    apiDocs: "API description",
  },

  error: {
    titles: {
      400: "This address is not valid",
      401: "Please sign in",
      403: "This is not for you",
      404: "There is nothing here",
      405: "This cannot be done here",
      429: "Too many requests",
      500: "Something went wrong",
      501: "The node cannot do this",
      503: "Not available at the moment",
      504: "The node did not answer",
    },
    other: "Something went wrong",
    hints: {
      400: "Perhaps it was cut or mistyped.",
      403: "Your account may not see this page.",
      500: "It is in the hub's log. Trying again may help.",
      501: "Its livecam-edge is of an older release.",
      503: "Please try again in a moment.",
      504: "It may have done what was asked. Look before you try again.",
    },
    notFound: {
      page: "The page does not exist, or no longer.",
      camera: "No camera of this name has registered with this hub. Perhaps the address was mistyped.",
      video: "This video does not exist, or no longer.",
      edgeVideo: "This video is not on the camera's node any more, or the node cannot be reached.",
    },
    details: "What the hub says",
    home: "To the cameras",
    request: (id: string) => `Request ${id}`,
  },

  justNow: "just now",
};

/** What a page says. A language that leaves something out does not compile. */
export type Strings = typeof english;

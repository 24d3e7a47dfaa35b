import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { EdgeStatus } from "../../src/common/protocol/control.ts";
import { formatBytes, formatDuration } from "../../src/edge/figure-words.ts";
import { statusScreen } from "../../src/edge/status-screen.ts";
import { busyStatus, idleStatus } from "../support/edge-status.ts";

const nowMs = Date.parse("2025-09-23T06:00:00Z");

describe("the screen", () => {
  test("of a node in trouble says what is wrong first, and all of it", () => {
    expect(statusScreen(busyStatus(), nowMs)).toBe(`\
Node     node01, livecam-edge 0.1.0, config c1
Running  for 1 h 0 min, since 2025-09-23T05:00:00.000Z
Alerts
  CRITICAL cam02: the camera gives nothing: 5 starts in a row failed (for 20 min)
  WARNING  the power supply is too weak: under-voltage (for 60 s)
Cameras
  cam01        recording  1280x720, 30.0 of 30 fps, 3.98 Mb/s, 1 restart
  cam02        retrying   1280x720, no signal for 20 min, last picture 21 min ago, 7 restarts - ffmpeg ended: no such device
Waiting  3 segments (900.0 MB), the oldest for 1 h 0 min; 1 not acknowledged by the hub
Uploads  tried again, 11.0 MB/s, failing for 10 min; 812 succeeded, 4 failed - no archive is mounted
Archive  not known yet, NOT reachable, 0 uploads given up
Spool    2 lost, 0 set aside, 0 in conflict, 50.0 GB of 100.0 GB free
Horizon  survives 4 d 15 h of outage at today's bitrate; the disk fills: cameras are asked for less
Hub      http://hub:8080: registered, heard 5 s ago, answers in 12 ms
Machine  Raspberry Pi 5 Model B Rev 1.0, CPU 25 % of 4, load 1.20, memory 6.0 GB of 8.0 GB free, livecam-edge 60.0 MB, network 123.5 MB in, 987.7 MB out, up 1 d 2 h
Power    51.5 °C; NOW: under-voltage
Clock    set (timedatectl), 0.3 s behind the hub
Errors   uploader 4, camera 1
`);
  });

  test("of a node that has just started", () => {
    const screen = statusScreen(idleStatus(), nowMs);
    for (const line of [
      "Alerts   none",
      "Waiting  nothing; 0 not acknowledged by the hub",
      "Uploads  nothing to do",
      "Horizon  not known while no camera records",
      "Hub      http://hub:8080: not yet reached",
      "Power    this machine does not tell",
      "Clock    not told",
      "Errors   none",
    ])
      expect(screen).toContain(`${line}\n`);
    expect(screen).not.toMatch(/undefined|NaN|null/);
  });

  test("says what of the config is not in force, and how the link is", () => {
    const screen = statusScreen(
      {
        ...idleStatus(),
        config: {
          version: "c1",
          wanted_version: "c2",
          needs_restart: ["system.clock"],
          refusal: "cameras: at least one",
        },
        link: { enabled: true, connected: false, since: "2025-09-23T05:58:00.000Z", last_error: "refused" },
      },
      nowMs,
    );
    expect(screen).toContain(
      "Config   the changed file is REFUSED, the old one stays in force: cameras: at least one\n",
    );
    expect(screen).toContain("Config   NEEDS A RESTART for system.clock\n");
    expect(screen).toContain("Link     NOT connected for 2 min: refused\n");
  });

  test("shows no control characters of others", () => {
    const evil = "a\u001b[2Jb\nErrors   none\r\u0007";
    const busy = busyStatus();
    const status = {
      ...busy,
      software_version: evil,
      hub: { ...busy.hub, last_error: evil },
      uploads: { ...busy.uploads, last_error: evil },
      cameras: busy.cameras.map((camera) => ({ ...camera, message: evil })),
      alerts: busy.alerts?.map((alert) => ({ ...alert, message: evil })),
      error_counts: { [evil]: 1 },
    } as EdgeStatus;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the point
    expect(statusScreen(status, nowMs)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    expect(statusScreen(status, nowMs).split("\n").length).toBe(statusScreen(busy, nowMs).split("\n").length);
  });
});

test("what the screen is made of is what --json prints", () => {
  for (const status of [busyStatus(), idleStatus()])
    expect(v.is(EdgeStatus, JSON.parse(JSON.stringify(status)))).toBe(true);
});

test.each([
  [0, "0 s"],
  [99, "99 s"],
  [100, "2 min"],
  [3599, "60 min"],
  [3600, "1 h 0 min"],
  [86_399, "23 h 59 min"],
  [273_600, "3 d 4 h"],
])("%d s are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [2.1e12, "2.1 TB"],
  [5e16, "50000.0 TB"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

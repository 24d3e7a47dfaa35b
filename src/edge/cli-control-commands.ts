import { type Command, InvalidArgumentError } from "commander";
import { abortOnSignals } from "../common/lifecycle.ts";
import type { TextSink } from "../common/verify-progress.ts";
import type { AddWork } from "./cli-context.ts";
import type { SocketOptions, StatusOptions } from "./cli-control.ts";

/** What can be asked of an edge that runs on this machine. */
export function addControlCommands(program: Command, add: AddWork, out: TextSink): void {
  const control = () => import("./cli-control.ts");
  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option("-s, --socket <path>", "control socket of the edge (default: /run/livecam/edge.sock)")
      .option("-c, --config <file>", "take the socket from this config");

  add(
    command("status", "what cameras, uploads and hub link of the running edge do")
      .option("--json", "as JSON; with --watch one line each time")
      .option("-w, --watch [seconds]", "again and again until Ctrl-C (default: every 2 s)", watchSeconds),
    async (options: StatusOptions) =>
      (await control()).runStatus(options, out, () => abortOnSignals(() => undefined)),
  );
  add(
    command("uploads", "what waits to be archived, in the order it will be tried").option(
      "--json",
      "as JSON",
    ),
    async (options: SocketOptions & { json?: boolean }) => (await control()).runUploads(options, out),
  );
  add(
    command("snapshot", "the newest picture of a camera as JPEG")
      .argument("<camera>")
      .requiredOption("-o, --output <file>", "where to put it; - is stdout"),
    async (camera: string, options: SocketOptions & { output: string }) =>
      (await control()).runSnapshot(camera, options, out),
  );
  for (const [verb, description] of [
    ["pause", "close the segment and record nothing until resume, also after a restart"],
    ["resume", "record again"],
  ] as const) {
    add(command(verb, description).argument("<camera>"), async (camera: string, options: SocketOptions) =>
      (await control()).runPost(`/cameras/${encodeURIComponent(camera)}/${verb}`, options),
    );
  }
  add(
    command("configure", "change what a camera delivers, until the next start")
      .argument("<camera>")
      .option("--width <pixels>", "", Number)
      .option("--height <pixels>", "", Number)
      .option("--fps <number>", "frames per second", Number)
      .option("--bitrate <number>", "bits per second", Number),
    async (camera: string, options: SocketOptions & Record<string, number>) => {
      const { width, height, fps, bitrate } = options;
      const path = `/cameras/${encodeURIComponent(camera)}/configure`;
      return (await control()).runPost(path, options, { width, height, fps, bitrate_bps: bitrate });
    },
  );
  for (const [verb, description] of [
    ["cancel", "stop an upload and put it to the end of the queue"],
    ["retry", "try an upload again now that was cancelled or has failed"],
  ] as const) {
    add(command(verb, description).argument("<video-id>"), async (id: string, options: SocketOptions) =>
      (await control()).runPost(`/uploads/${encodeURIComponent(id)}/${verb}`, options),
    );
  }
  add(
    command("reload", "put the changed config file in force, and say what that took")
      .option("--json", "as JSON")
      .addHelpText("after", reloadHelp),
    async (options: SocketOptions & { json?: boolean }) => (await control()).runReload(options, out),
  );
  add(
    command("check-archive", "whether the running edge reaches its archive"),
    async (options: SocketOptions) => (await control()).runCheckArchive(options, out),
  );
}

function watchSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds >= 0.1 && seconds <= 86_400) return seconds;
  throw new InvalidArgumentError("Expected seconds, from 0.1 to 86400.");
}

const reloadHelp = `
The same as SIGHUP, and as what happens by itself when the file changes (system.watch_config). Only what changed is
interrupted; docs/configuration.md says what a change of each setting takes. A config with anything wrong in it is
refused whole: the old one stays in force, every error is printed, and the exit code is 2.

  $ livecam-edge reload
  recording.segment_seconds     from the next segment on
  cameras.cam02.source.bitrate  the capture of the camera began anew
  in force: 3f1c0a9be77d`;

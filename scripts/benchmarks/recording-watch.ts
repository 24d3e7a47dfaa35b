import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { sleep } from "../../src/common/clock.ts";
import type { BenchmarkContext } from "./benchmark.ts";
import { compileProgram } from "./compile-program.ts";
import { type RunningHub, startEdge } from "./livecam-programs.ts";
import { startServer } from "./server-process.ts";
import { type TreeUsage, watchTree } from "./tree-monitor.ts";

export interface RecordingWindow {
  cameras: number;
  segmentSeconds: number;
  /** What starts a program is over by then. */
  warmUpSeconds: number;
  windowSeconds: number;
}

export interface RecordingSetUp {
  context: BenchmarkContext;
  edge: string;
  hub: RunningHub;
  archiveDir: string;
  /** The camera's video, to be looped in real time. */
  sample: string;
  /** Of this round; not there yet. */
  name: string;
}

/** `ffmpeg -c copy -f segment`, as many as there are cameras, watched together. */
export async function watchFfmpegs(setUp: RecordingSetUp, window: RecordingWindow): Promise<TreeUsage[]> {
  const { context, sample, name } = setUp;
  const { signal } = context;
  await using stack = new AsyncDisposableStack();
  const pids: number[] = [];
  for (let camera = 1; camera <= window.cameras; camera++) {
    const folder = join(context.scratch, `${name}-ffmpeg-${camera}`);
    await mkdir(folder);
    const ffmpeg = await startServer({
      argv: ["ffmpeg", "-nostdin", "-nostats", "-hide_banner", "-loglevel", "error"]
        .concat(["-re", "-stream_loop", "-1", "-i", sample, "-c", "copy"])
        .concat(["-f", "segment", "-segment_time", `${window.segmentSeconds}`, "-segment_atclocktime", "1"])
        .concat(["-reset_timestamps", "1", join(folder, "%05d.mp4")]),
      signal,
      isReady: () => Bun.file(join(folder, "00000.mp4")).exists(),
    });
    stack.use(ffmpeg);
    pids.push(ffmpeg.pid);
  }
  await awaitWindow(window, signal);
  return await Promise.all(pids.map((pid) => watchTree(pid, window.windowSeconds, signal)));
}

/** `bare-recorder.ts`, one for each camera, watched together: the limit of the runtime. */
export async function watchBareRecorders(
  { context, sample, name }: RecordingSetUp,
  window: RecordingWindow,
): Promise<TreeUsage[]> {
  const { signal, scratch } = context;
  const program = await compileProgram(
    scratch,
    `bare-recorder-${name}`,
    `import { recordBarely } from ${JSON.stringify(join(import.meta.dir, "bare-recorder.ts"))}; await recordBarely();`,
  );
  await using stack = new AsyncDisposableStack();
  const pids: number[] = [];
  for (let camera = 1; camera <= window.cameras; camera++) {
    const path = join(scratch, `${name}-bare-${camera}.mp4`);
    const recorder = await startServer({
      argv: [program, sample, path],
      signal,
      isReady: () => Bun.file(path).exists(),
    });
    stack.use(recorder);
    pids.push(recorder.pid);
  }
  await awaitWindow(window, signal);
  return await Promise.all(pids.map((pid) => watchTree(pid, window.windowSeconds, signal)));
}

export async function watchEdge(setUp: RecordingSetUp, window: RecordingWindow): Promise<TreeUsage> {
  const { context, edge, hub, archiveDir, sample, name } = setUp;
  const { signal } = context;
  await using running = await startEdge({
    ...{ edge, archiveDir, signal, hubUrl: hub.url, nodeKey: hub.nodeKey },
    folder: join(context.scratch, `${name}-edge`),
    segmentSeconds: window.segmentSeconds,
    cameras: Array.from({ length: window.cameras }, (_, i) => ({
      id: `cam0${i + 1}`,
      source: { type: "file", path: sample },
    })),
  });
  await awaitWindow(window, signal);
  return await watchTree(running.pid, window.windowSeconds, signal);
}

const wallSeconds = () => Date.now() / 1000;

/**
 * Waits until no cut is in the window, where it is shorter than a segment, and else so long that cut and upload
 * are well within it.
 */
async function awaitWindow(window: RecordingWindow, signal: AbortSignal): Promise<void> {
  const { segmentSeconds, warmUpSeconds, windowSeconds } = window;
  await sleep(warmUpSeconds * 1000, signal);
  const sinceCut = wallSeconds() % segmentSeconds;
  if (windowSeconds < segmentSeconds) {
    const untilCut = segmentSeconds - sinceCut;
    // Its upload takes some seconds, too.
    if (untilCut < windowSeconds + 1) await sleep((untilCut + 10) * 1000, signal);
    return;
  }
  const quiet = segmentSeconds / 3;
  if (sinceCut < quiet) await sleep((quiet - sinceCut) * 1000, signal);
}

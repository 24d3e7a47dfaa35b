import { readdir, readFile } from "node:fs/promises";
import { systemClock } from "../../src/common/clock.ts";
import { createLogger } from "../../src/common/log.ts";
import type { Fragment } from "../../src/common/mp4/fragment.ts";
import type { InitSegment } from "../../src/common/mp4/init-segment.ts";
import { Camera, type CameraOptions } from "../../src/edge/camera/camera.ts";
import type { CameraConsumer } from "../../src/edge/camera/camera-consumer.ts";
import type { CapturePlan } from "../../src/edge/camera/camera-source.ts";

export interface SeenRun {
  init: InitSegment;
  /** A picture in place of the camera. */
  isMock: boolean;
  fragments: Fragment[];
  endReason: string | undefined;
}

/** Keeps all that a camera gives. Calls that come out of order are an error. */
export class SeenRuns implements CameraConsumer {
  readonly runs: SeenRun[] = [];
  readonly errors: string[] = [];
  /** Awaited with every fragment. */
  whileConsuming: ((fragment: Fragment) => void | Promise<void>) | undefined;
  #busy = false;
  readonly #waiting: { holds: () => boolean; resolve: () => void }[] = [];

  onRunStart(init: InitSegment, { isMock } = { isMock: false }): Promise<void> {
    return this.#call("onRunStart", () => {
      if (this.#open) this.errors.push("a run began within a run");
      this.runs.push({ init, isMock, fragments: [], endReason: undefined });
    });
  }

  onFragment(fragment: Fragment): Promise<void> {
    return this.#call("onFragment", async () => {
      if (!this.#open) this.errors.push("a fragment without a run");
      this.#open?.fragments.push({ ...fragment, bytes: fragment.bytes.slice() });
      await this.whileConsuming?.(fragment);
    });
  }

  onRunEnd(reason: string): Promise<void> {
    return this.#call("onRunEnd", () => {
      if (!this.#open) this.errors.push("an end without a run");
      else this.#open.endReason = reason;
    });
  }

  /** Resolves as soon as it holds after a call. */
  until(holds: (runs: SeenRun[]) => boolean): Promise<void> {
    if (holds(this.runs)) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ holds: () => holds(this.runs), resolve });
    return promise;
  }

  get #open(): SeenRun | undefined {
    const last = this.runs.at(-1);
    return last?.endReason === undefined ? last : undefined;
  }

  async #call(name: string, work: () => void | Promise<void>): Promise<void> {
    if (this.#busy) this.errors.push(`${name} before the call before it was done`);
    this.#busy = true;
    try {
      await work();
    } finally {
      this.#busy = false;
    }
    for (const { holds, resolve } of this.#waiting) if (holds()) resolve();
  }
}

export interface CameraBench extends AsyncDisposable {
  camera: Camera;
  seen: SeenRuns;
  /** Times that a capture was asked for. */
  plans: () => number;
}

/** A camera whose capture is whatever programs the test says, restarted quickly. */
export function cameraBench(
  plan: CapturePlan | ((attempt: number) => CapturePlan),
  overrides: Partial<CameraOptions> = {},
): CameraBench {
  const seen = new SeenRuns();
  let plans = 0;
  const camera = new Camera({
    cameraId: "cam01",
    planner: {
      check: () => undefined,
      plan: async () => {
        plans++;
        return typeof plan === "function" ? plan(plans) : plan;
      },
    },
    consumer: seen,
    clock: systemClock,
    logger: createLogger("camera"),
    stallMs: 60_000,
    startMs: 60_000,
    backoff: { firstMs: 50, maxMs: 200 },
    ...overrides,
  });
  return {
    camera,
    seen,
    plans: () => plans,
    [Symbol.asyncDispose]: () => camera.stop(),
  };
}

/** Children of this process, zombies included, whose command line (or name, for zombies) contains `text`. */
export async function childrenWith(text: string): Promise<{ pid: number; state: string }[]> {
  const children: { pid: number; state: string }[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = await readFile(`/proc/${name}/stat`, "utf8");
      const [state, ppid] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const commandLine = await readFile(`/proc/${name}/cmdline`, "utf8");
      const isOurs = Number(ppid) === process.pid;
      if (isOurs && `${stat} ${commandLine.replaceAll("\0", " ")}`.includes(text)) {
        children.push({ pid: Number(name), state: state ?? "" });
      }
    } catch {
      // It ended while we looked.
    }
  }
  return children;
}

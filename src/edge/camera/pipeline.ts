import { closeSync } from "node:fs";
import { type Child, type ChildExit, startChild } from "../../common/child-process.ts";
import type { CapturePlan } from "./camera-source.ts";
import { CaptureOutput } from "./capture-output.ts";
import { type KernelPipe, openKernelPipe } from "./kernel-pipe.ts";
import { lastWords, plainLine } from "./plain-line.ts";

/** How long a program may take to end after it was asked to, or after its neighbour has gone. */
const graceMs = 4_000;

export interface Pipeline {
  /** Of the last program; closing it is left to whoever reads it. */
  output: CaptureOutput;
  /** Resolves when every program has ended, with what the first of them that ended says. Never rejects. */
  exited: Promise<string>;
  /** Asks the first program to end; the others then come to the end of their input. Kills what has not ended in time. */
  stop(): void;
  /** For what is not worth waiting for. */
  kill(): void;
}

/**
 * Starts the programs of a plan. When one of them ends, whyever, the others are made to end. Throws `unavailable`
 * when one cannot be started; none is left running then.
 */
export async function startPipeline(
  plan: CapturePlan,
  onStderrLine?: (program: string, line: string) => void,
): Promise<Pipeline> {
  const pipes: KernelPipe[] = [];
  const children: Child[] = [];
  const output = await CaptureOutput.open();
  if (!plan.isReadInRealTime) output.grow();
  try {
    for (let i = 1; i < plan.commands.length; i++) pipes.push(await openKernelPipe());
    for (const [i, { argv }] of plan.commands.entries()) {
      const first = plan.stdin ? new TextEncoder().encode(plan.stdin.reveal()) : "ignore";
      children.push(
        startChild({
          argv,
          stdin: pipes[i - 1]?.readEnd ?? first,
          stdout: pipes[i]?.writeEnd ?? output.writeEnd,
          killAfterMs: graceMs,
          ...(onStderrLine ? { onStderrLine: (line) => onStderrLine(nameOf(argv), plainLine(line)) } : {}),
        }),
      );
    }
  } catch (error) {
    for (const child of children) child.kill("SIGKILL");
    output.close();
    throw error;
  } finally {
    for (const { readEnd, writeEnd } of pipes) {
      closeSync(readEnd);
      closeSync(writeEnd);
    }
    output.closeWriteEnd();
  }
  return { output, ...superviseChildren(plan, children) };
}

function superviseChildren(plan: CapturePlan, children: readonly Child[]): Omit<Pipeline, "output"> {
  let firstEnd: string | undefined;
  let stopLater: ReturnType<typeof setTimeout> | undefined;
  /** Those after `index` come to the end of their input and finish what they have; those before write to nobody. */
  const endOthers = (index: number) => {
    for (const child of children.slice(0, index)) child.stop();
    stopLater ??= setTimeout(() => {
      for (const child of children.slice(index + 1)) child.stop();
    }, graceMs);
  };
  const ends = children.map(async (child, index) => {
    const exit = await child.exited;
    firstEnd ??= describeExit(nameOf(plan.commands[index]?.argv ?? []), exit);
    endOthers(index);
  });
  return {
    exited: Promise.all(ends).then(() => {
      clearTimeout(stopLater);
      return firstEnd ?? "ended";
    }),
    stop() {
      children[0]?.stop();
      endOthers(0);
    },
    kill() {
      for (const child of children) child.kill("SIGKILL");
    },
  };
}

function nameOf(argv: readonly string[]): string {
  return argv[0]?.split("/").at(-1) ?? "";
}

/** `ffmpeg exited with 1: pipe:0: Connection refused` */
function describeExit(name: string, { exitCode, signal, stderrTail }: ChildExit): string {
  if (signal) return `${name} was ended by ${signal}`;
  const why = lastWords(stderrTail);
  return `${name} ${exitCode === 0 ? "ended" : `exited with ${exitCode}`}${why ? `: ${why}` : ""}`;
}

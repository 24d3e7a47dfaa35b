/** `tiny` only proves that a benchmark runs to its end; its figures mean nothing. */
export type Scale = "full" | "quick" | "tiny";

export interface BenchmarkContext {
  scale: Scale;
  /** Own empty folder; removed when the benchmark has ended, however it ends. */
  scratch: string;
  /** Benchmarks end soon after it aborts, with everything they started. */
  signal: AbortSignal;
  /** Progress for whoever waits. */
  say(text: string): void;
  /** Paths of both programs, compiled for this machine as they are shipped. */
  binaries(): Promise<Binaries>;
}

export interface Binaries {
  edge: string;
  hub: string;
}

export interface Benchmark {
  name: string;
  /** One line for `--list`. */
  summary: string;
  run(context: BenchmarkContext): Promise<Row[]>;
}

/** How a ratio to the peer, or the figure itself where there is no ratio to be had, should be. */
export interface Goal {
  of: "ratio" | "figure";
  is: "at_most" | "at_least";
  value: number;
}

/** One line of the table. */
export interface Row {
  figure: string;
  /** One value per round. */
  ours: readonly number[];
  unit: string;
  /** The peer, measured in the same rounds in turns with ours: value i belongs to value i. */
  peer?: { name: string; values: readonly number[] };
  goal?: Goal;
  /** What a reader has to know to understand the figure. */
  note?: string;
}

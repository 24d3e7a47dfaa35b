/** The machine's boot, which outlives a process: what ties its times to those of an earlier one. */
export interface Boot {
  bootId: string;
  /** Time since the boot minus this process's monotonic time; does not change. */
  uptimeOffsetMs: number;
}

/** By what a segment of an unset clock can be dated anew, as long as the machine is not booted again. */
export interface ClockAnchor {
  bootId: string;
  /** Wall time minus time since the boot, by which the segment was dated. */
  wallOffsetMs: number;
}

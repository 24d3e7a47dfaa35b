/** What one look of the doctor came to. */
export interface Finding {
  /** What was looked at: `ffmpeg`, `camera cam01`. */
  check: string;
  /** `warn`: it records, but not for long or not as asked. `fail`: it does not. */
  verdict: "ok" | "warn" | "fail";
  message: string;
  /** What to do about it; null when there is nothing to do. */
  advice: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, verdict: "ok", message, advice: null };
}

export function warn(check: string, message: string, advice: string): Finding {
  return { check, verdict: "warn", message, advice };
}

export function fail(check: string, message: string, advice: string): Finding {
  return { check, verdict: "fail", message, advice };
}

/** Two lines at most, the second with what to do. */
export function formatFinding({ check, verdict, message, advice }: Finding): string {
  const first = `${verdict.padEnd(4)}  ${check.padEnd(14)} ${message}\n`;
  return advice === null ? first : `${first}${" ".repeat(21)}-> ${advice}\n`;
}

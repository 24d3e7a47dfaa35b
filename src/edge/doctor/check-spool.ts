import { type Finding, fail, ok, warn } from "./finding.ts";

export interface SpoolFacts {
  spoolPath: string;
  path: string;
  freeBytes: number;
  /** Of the free ones, those that footage may take. */
  roomBytes: number;
  bytesPerSecond: number | undefined;
  error: string | undefined;
  /** Of all cameras together. */
  bitrateBps: number;
}

/** Uploads read, the system writes, and a card gets slower with age. */
const comfortable = 4;
const shortHorizonMs = 24 * 3_600_000;
const tooShortHorizonMs = 10 * 60_000;

/** Whether the disk of the spool is there, quick enough for the cameras, and for how long it holds them. Pure. */
export function checkSpool(facts: SpoolFacts): Finding[] {
  return [checkSpeed(facts), checkHorizon(facts)];
}

function checkSpeed({ spoolPath, path, bytesPerSecond, error, bitrateBps }: SpoolFacts): Finding {
  const check = "spool disk";
  const where = path === spoolPath ? path : `${path}, where ${spoolPath} will be made`;
  if (error !== undefined) {
    const advice = "give it to the user that the edge runs as, or set system.spool_path to another disk";
    return fail(check, `cannot write to ${where}: ${error}`, advice);
  }
  if (bytesPerSecond === undefined) {
    return warn(check, `too little room in ${where} to measure its speed`, "make room, or use a larger disk");
  }
  const times = (bytesPerSecond * 8) / bitrateBps;
  const speed = `${megabytes(bytesPerSecond)} MB/s, synced, for cameras of ${megabytes(bitrateBps / 8)} MB/s`;
  const advice = "use another card or an SSD, or lower the bitrates";
  if (times < 1) return fail(check, `${where} is too slow: ${speed}`, advice);
  if (times < comfortable) return warn(check, `${where} is hardly quick enough: ${speed}`, advice);
  return ok(check, `${where}: ${speed}`);
}

function checkHorizon({ freeBytes, roomBytes, bitrateBps }: SpoolFacts): Finding {
  const check = "spool room";
  const horizonMs = Math.max(0, (roomBytes * 8000) / bitrateBps);
  const message = `${(freeBytes / 1e9).toFixed(1)} GB free: survives ${formatDuration(horizonMs)} without the archive`;
  const advice = "make room, use a larger disk, or lower the bitrates";
  if (horizonMs < tooShortHorizonMs) return fail(check, message, advice);
  return horizonMs < shortHorizonMs ? warn(check, message, advice) : ok(check, message);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 0);
}

/** `3 d 4 h`, `5 h 12 min`, `40 min`. */
function formatDuration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

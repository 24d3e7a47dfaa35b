import { mkdir } from "node:fs/promises";
import { sleep } from "../../src/common/clock.ts";
import type { LogLine } from "../../tests/support/edge-process.ts";
import type { Binaries } from "../benchmarks/benchmark.ts";
import { readMemory } from "../benchmarks/process-usage.ts";
import { type Account, describeKills, takeAccount } from "./account.ts";
import type { Fault, FaultContext, FaultResult } from "./fault.ts";
import { FaultSite } from "./fault-site.ts";

/** A segment whose upload was killed is put aside for a minute, and longer each time: it may be what kills the worker. */
const deliverMs = 300_000;

/** Brings one fault about at a site of its own, waits until all is well again, and says what it cost. */
export async function runFault(
  fault: Fault,
  context: FaultContext & { folder: string; binaries: Binaries; signal: AbortSignal },
): Promise<FaultResult> {
  const { folder, binaries, signal } = context;
  await mkdir(folder, { recursive: true });
  const options = typeof fault.site === "function" ? await fault.site(folder) : (fault.site ?? {});
  await using site = await FaultSite.open(folder, options, binaries, signal);
  const isClockRight = options.clockOffsetSeconds === undefined;
  await site.edge.logged("archived", isClockRight ? 2 : 0);
  await site.until(async () => (await site.lastFragmentAt()) !== undefined, "the first fragment");

  const logFrom = site.edge.log.length;
  const before = await site.lastFragmentAt();
  const heal = await fault.inject(site, context);
  const lastsMs = Math.max(fault.leastMs ?? 0, context.lastsMs);
  const memory: string[] = [];
  if (heal) {
    // Past what every process takes at its start.
    await sleep(lastsMs / 4, signal);
    memory.push(await describeMemory(site));
    await sleep((lastsMs * 3) / 4, signal);
    memory.push(await describeMemory(site));
    await heal();
  }
  const healedMs = performance.now();
  const waiting = new Set(await site.undelivered());
  const atEnd = await site.lastFragmentAt();
  await site.until(async () => {
    const at = await site.lastFragmentAt();
    return at !== undefined && at !== atEnd && at !== before;
  }, "recording again");
  const recordsAfterMs = performance.now() - healedMs;
  await site.until(
    async () => (await site.undelivered()).every((name) => !waiting.has(name)),
    "delivering what waited",
    deliverMs,
  );
  const deliveredAfterMs = performance.now() - healedMs;
  // What came after the fault, up to a whole segment of it.
  const archivedSoFar = () => site.edge.log.filter(({ message }) => message === "archived").length;
  const soFar = archivedSoFar();
  await site.until(() => archivedSoFar() >= soFar + 2, "a segment after the fault");
  await site.endForGood();
  const account = await takeAccount(site);
  const alerts = await alertsOf(site);
  const remark = fault.remark ? [await fault.remark(site)] : [];
  const isLong = lastsMs >= 60_000 && memory.length > 0;
  const rss = isLong ? [`RSS ${memory.join(" → ")} from a quarter of it to its end`] : [];
  const kills = site.killsMs.length > 0 ? [describeKills(account)] : [];
  return {
    name: fault.name,
    lostSeconds: account.lostMs / 1000 / Math.max(1, site.killsMs.length),
    recordsAfterSeconds: account.lostMs > 0 ? recordsAfterMs / 1000 : undefined,
    deliveredAfterSeconds: deliveredAfterMs / 1000,
    seen: [...remark, ...rss, ...kills, ...seenIn(site.log, logFrom, account), ...alerts].join("; "),
    broken: account.broken,
  };
}

/** What the hub was alerted of, whether it is over or not. */
async function alertsOf(site: FaultSite): Promise<string[]> {
  const { alerts } = await site.get<{ alerts: { code: string }[] }>("/api/alerts?state=all&limit=100");
  const codes = [...new Set(alerts.map(({ code }) => code))].sort();
  return codes.length > 0 ? [`alert: ${codes.join(", ")}`] : [];
}

/** Causes of gaps, and what the log warned of, each once. */
function seenIn(log: readonly LogLine[], from: number, { causes }: Account): string[] {
  const told = log
    .slice(from)
    .filter(({ level, message }) => /^(?:WARN|ERROR)/i.test(level) && message !== "footage is missing")
    .map(({ message, properties }) =>
      message.replace(/\{(\w+)\}/g, (_, name) => String(properties[name]).slice(0, 60)),
    );
  const counts = Map.groupBy(told, (message) => message);
  const lines = [...counts]
    .slice(0, 3)
    .map(([message, { length }]) => `"${message}"${length > 1 ? ` ×${length}` : ""}`);
  return [...(causes.length > 0 ? [`gap: ${causes.join(", ")}`] : []), ...lines];
}

async function describeMemory(site: FaultSite): Promise<string> {
  const memory = await readMemory(site.edge.pid);
  return memory ? `${Math.round(memory.rssBytes / 1e6)} MB` : "?";
}

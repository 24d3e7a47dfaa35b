import { expectThat, type Scenario, seconds } from "./scenario.ts";
import { fragmentMs, fsyncIntervalMs, type Site } from "./site.ts";

/** Of an emulated machine whose clock is read from outside. */
const slackMs = 1500;

/** How far the clock of the machine is behind ours, give or take the half of a round trip. */
async function clockOffsetMs(site: Site): Promise<number> {
  const offsets: { offsetMs: number; tookMs: number }[] = [];
  for (let i = 0; i < 5; i++) {
    const beforeMs = Date.now();
    const guestMs = Number(await site.vm.run("date +%s%3N"));
    const afterMs = Date.now();
    offsets.push({ offsetMs: (beforeMs + afterMs) / 2 - guestMs, tookMs: afterMs - beforeMs });
  }
  return offsets.sort((one, other) => one.tookMs - other.tookMs)[0]?.offsetMs ?? 0;
}

/** How far behind the newest fragment is, at the most seen: what the capture has not given yet nobody can keep. */
async function captureLagMs(site: Site, offsetMs: number): Promise<number> {
  let lagMs = 0;
  for (let i = 0; i < 3; i++) {
    const askedMs = Date.now() - offsetMs;
    const at = Date.parse((await site.status()).cameras[0]?.last_fragment_at ?? "");
    lagMs = Math.max(lagMs, askedMs - at - fragmentMs);
  }
  return lagMs;
}

export const powerScenarios: Scenario[] = [
  {
    name: "power-cut",
    title: "a power cut loses at most the fsync interval and a fragment, and nobody has to help",
    async run(site, { times }) {
      const lostMs: number[] = [];
      const backMs: number[] = [];
      await site.start(site.destination("nfs"));
      await site.delivers(1);
      for (let round = 0; round < times; round++) {
        const offsetMs = await clockOffsetMs(site);
        const lagMs = await captureLagMs(site, offsetMs);
        await Bun.sleep(Math.random() * 12_000);
        await site.vm.cutPower();
        const cutMs = Date.now() - offsetMs;
        const offMs = performance.now();
        await site.vm.boot();
        await site.deliveredUntil(Date.now());
        backMs.push(performance.now() - offMs);
        const gap = (await site.gaps()).find(
          ({ from_time, to_time }) => Date.parse(from_time) < cutMs && cutMs < Date.parse(to_time),
        );
        if (!gap) throw new Error("the cut is in no gap");
        expectThat(gap.cause === "node_down", `the gap's cause is ${gap.cause}`);
        const lost = cutMs - Date.parse(gap.from_time);
        lostMs.push(lost);
        const boundMs = fsyncIntervalMs + fragmentMs + lagMs + slackMs;
        expectThat(lost <= boundMs, `lost ${seconds(lost)} before the cut, more than ${seconds(boundMs)}`);
        await site.account(Date.parse(gap.from_time) - 30_000, Date.now());
      }
      const files = await site.verify();
      return `${times} times; lost before the cut ${lostMs.map(seconds).join(", ")} (bound ${seconds(fsyncIntervalMs + fragmentMs)}, measured to within ${seconds(slackMs)}); delivering again after ${backMs.map(seconds).join(", ")}, ${files} files whole`;
    },
  },
  {
    name: "reboot",
    title: "a reboot ends the recording cleanly, with every second until then",
    async run(site) {
      await site.start(site.destination("nfs"));
      await site.delivers(1);
      const before = (await site.vm.run("cat /proc/sys/kernel/random/boot_id")).trim();
      const askedMs = performance.now();
      await site.vm.run("systemctl reboot").catch(() => undefined);
      let boot = before;
      while (boot === before) {
        await Bun.sleep(3000);
        boot = (await site.vm.run("cat /proc/sys/kernel/random/boot_id", 15_000).catch(() => before)).trim();
        expectThat(performance.now() - askedMs < 300_000, "it does not come back");
      }
      const backMs = performance.now() - askedMs;
      await site.deliveredUntil(Date.now());
      const gap = (await site.gaps()).at(0);
      const gaps = await site.account(Date.now() - 120_000, Date.now());
      expectThat(
        Object.keys(gaps).every((cause) => cause === "node_stopped"),
        `gaps ${JSON.stringify(gaps)}`,
      );
      return `back after ${seconds(backMs)}, gaps ${JSON.stringify(gaps)} (${gap?.detail}), ${await site.verify()} files whole`;
    },
  },
];

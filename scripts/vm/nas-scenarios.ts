import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { makeArchive } from "../../tests/contract/archive-destination.contract.ts";
import { smbPassword } from "../../tests/support/smb-server.ts";
import { expectThat, type Scenario, seconds } from "./scenario.ts";
import type { Site } from "./site.ts";
import { until } from "./site.ts";

type Technology = "nfs" | "smb";

const serverOf = (site: Site, technology: Technology) => (technology === "nfs" ? site.nfs : site.smb);

/** How long the service takes to stop at most; well below TimeoutStopSec. */
const stopMs = 40_000;

const technologies: Technology[] = ["nfs", "smb"];

export const nasScenarios: Scenario[] = technologies.flatMap((technology): Scenario[] => [
  {
    name: `${technology}-mount`,
    title: "the service mounts the archive and delivers; no secret is seen",
    async run(site) {
      const startedMs = performance.now();
      await site.start(site.destination(technology));
      await site.delivers(2);
      const tookMs = performance.now() - startedMs;
      const table = await site.vm.run("grep /run/livecam/archive /proc/self/mountinfo");
      const seen = await site.vm.run(
        "cat /proc/mounts; ps -eo args; journalctl -u livecam-edge -o cat; ls -A /run/livecam",
      );
      expectThat(!seen.includes(smbPassword) && !/\/smb-credentials/.test(seen), "a secret is to be seen");
      expectThat(table.trim().split("\n").length === 1, `not mounted once: ${table}`);
      return `second segment after ${seconds(tookMs)}; ${table.trim().split(" - ")[1]?.split(",").slice(0, 2).join(",")}`;
    },
  },
  {
    name: `${technology}-hung`,
    title: "a server that hangs never stops recording, status or the end of the service; all arrives later",
    async run(site, { hangSeconds }) {
      await site.start(site.destination(technology));
      await site.delivers(1);
      const fromMs = Date.now();
      const server = serverOf(site, technology);
      await server.signal("SIGSTOP");
      let slowestMs = 0;
      let oldestMs = 0;
      try {
        for (const endMs = Date.now() + hangSeconds * 1000; Date.now() < endMs; await Bun.sleep(4000)) {
          const askedMs = performance.now();
          const [camera] = (await site.status()).cameras;
          slowestMs = Math.max(slowestMs, performance.now() - askedMs);
          const now = Number(await site.vm.run("date +%s%3N"));
          oldestMs = Math.max(oldestMs, now - Date.parse(camera?.last_fragment_at ?? ""));
          expectThat(camera?.state === "recording", `the camera is ${camera?.state}`);
        }
        const { abandoned_workers: abandoned } = (await site.status()).archive;
        const stoppedMs = performance.now();
        await site.vm.run("systemctl stop livecam-edge");
        const stopTookMs = performance.now() - stoppedMs;
        expectThat(stopTookMs < stopMs, `the service took ${seconds(stopTookMs)} to stop`);
        expectThat(
          (await site.vm.run("systemctl is-failed livecam-edge || true")).trim() !== "failed",
          "it failed",
        );
        const atMs = Date.now();
        await site.vm.run("systemctl start livecam-edge");
        await until("recording again", 120_000, async () =>
          site.status().then(
            ({ cameras }) => cameras[0]?.state === "recording",
            () => false,
          ),
        );
        await server.signal("SIGCONT");
        const backMs = performance.now();
        await site.deliveredUntil(atMs);
        const gaps = await site.account(fromMs, atMs);
        return `hung ${hangSeconds} s: newest fragment never older than ${seconds(oldestMs)}, status within ${seconds(slowestMs)}, ${abandoned} workers given up, stopped in ${seconds(stopTookMs)}, delivered ${seconds(performance.now() - backMs)} after it was back, gaps ${JSON.stringify(gaps)}, ${await site.verify()} files whole`;
      } finally {
        await server.signal("SIGCONT");
      }
    },
  },
  {
    name: `${technology}-killed`,
    title: "a server killed in mid-write and started again gets everything, whole",
    async run(site) {
      await site.start(site.destination(technology));
      await site.delivers(1);
      const fromMs = Date.now();
      const server = serverOf(site, technology);
      for (let round = 0; round < 3; round++) {
        await Bun.sleep(1000 + Math.random() * 5000);
        await server.kill();
        await Bun.sleep(3000);
        await server.run();
      }
      const backMs = performance.now();
      await site.deliveredUntil(Date.now());
      const gaps = await site.account(fromMs, Date.now());
      expectThat(Object.keys(gaps).length === 0, `footage is missing: ${JSON.stringify(gaps)}`);
      return `3 times; up to date ${seconds(performance.now() - backMs)} after the last, ${await site.verify()} files whole, no gap`;
    },
  },
  {
    name: `${technology}-absent`,
    title: "nothing lies under the mount point while the server is away; another archive gets nothing",
    async run(site) {
      const server = serverOf(site, technology);
      await site.vm.run("systemctl stop livecam-edge || true");
      await server.kill();
      const fromMs = Date.now();
      await site.start(site.destination(technology));
      await Bun.sleep(20_000);
      const under = (await site.vm.run("find /run/livecam/archive -type f | head")).trim();
      expectThat(under === "", `there is ${under} under the mount point`);
      // Swapped: the same address, another archive.
      await rename(site.archive, `${site.archive}.away`);
      await mkdir(site.archive);
      await makeArchive(site.archive, "01997000-0000-7000-8000-0000000000bb");
      await server.run();
      await until("the refusal", 120_000, async () =>
        (await site.vm.run("journalctl -u livecam-edge -o cat")).includes("another archive is mounted"),
      );
      const wrong = (await readdir(site.archive, { recursive: true })).filter((name) =>
        name.endsWith(".mp4"),
      );
      expectThat(wrong.length === 0, `the wrong archive got ${wrong[0]}`);
      await server.kill();
      await rm(site.archive, { recursive: true });
      await rename(`${site.archive}.away`, site.archive);
      await server.run();
      const backMs = performance.now();
      await site.deliveredUntil(Date.now());
      const gaps = await site.account(fromMs, Date.now());
      return `refused; delivered ${seconds(performance.now() - backMs)} after the right one was back, gaps ${JSON.stringify(gaps)}, ${await site.verify()} files whole`;
    },
  },
  {
    name: `${technology}-slow`,
    title: "a line of 1 Mbit/s delivers, and does not disturb recording",
    async run(site) {
      await site.start(site.destination(technology));
      await site.delivers(1);
      const fromMs = Date.now();
      await site.vm.run("tc qdisc add dev eth0 root netem rate 1mbit");
      try {
        await Bun.sleep(30_000);
      } finally {
        await site.vm.run("tc qdisc del dev eth0 root");
      }
      const backMs = performance.now();
      await site.deliveredUntil(Date.now());
      const gaps = await site.account(fromMs, Date.now());
      expectThat(Object.keys(gaps).length === 0, `footage is missing: ${JSON.stringify(gaps)}`);
      return `30 s at the camera's own bitrate; up to date ${seconds(performance.now() - backMs)} later, no gap`;
    },
  },
]);

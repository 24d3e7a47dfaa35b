import { expectThat, type Scenario, seconds } from "./scenario.ts";
import { until } from "./site.ts";
import { startTimeServer } from "./time-server.ts";

export const bootScenarios: Scenario[] = [
  {
    name: "unit",
    title: "the unit of deploy/ records without root, and delivers through smbclient",
    async run(site) {
      await site.start(site.destination("smb-client"), { mounts: false });
      await site.delivers(2);
      const user = (await site.vm.run("ps -o user= -C livecam-edge | sort -u")).trim();
      expectThat(user === "livecam", `it runs as ${user}`);
      const reloaded = await site.vm.run("systemctl reload livecam-edge && systemctl is-active livecam-edge");
      expectThat(reloaded.trim() === "active", `after a reload it is ${reloaded}`);
      // Also at once after a start, when the program does not run yet.
      await site.vm.run(
        "for i in 1 2 3 4 5 6; do systemctl restart livecam-edge; systemctl reload livecam-edge; done",
      );
      const restarts = (await site.vm.run("systemctl show -P NRestarts livecam-edge")).trim();
      expectThat(restarts === "0", `it ended ${restarts} times of a reload`);
      await site.delivers(1);
      const pid = (await site.vm.run("systemctl show -P MainPID livecam-edge")).trim();
      await site.vm.run(`kill -9 ${pid}`);
      const killedMs = performance.now();
      await site.delivers(1);
      const exposure = /level for .*: ([\d.]+ \w+)/.exec(
        await site.vm.run("systemd-analyze security livecam-edge | tail -1"),
      );
      return `as livecam, systemd-analyze exposure ${exposure?.[1]}; killed, delivering again after ${seconds(performance.now() - killedMs)}, ${await site.verify()} files whole`;
    },
  },
  {
    name: "clock-1970",
    title: "a boot in 1970 without a time server: what it recorded gets its date when it has one",
    async run(site) {
      await site.start(site.destination("nfs"), { clock: "ntp" });
      await site.vm.run("rm -rf /var/lib/systemd/timesync/clock");
      await site.vm.shutDown();
      const known = new Set((await site.videos()).map(({ file_path }) => file_path));
      const fromMs = Date.now();
      await site.vm.boot({ rtc: "1970-01-01T00:00:00" });
      const wrong = (await site.vm.run("date -u +%F")).trim();
      await until("its first pictures", 180_000, async () =>
        site.status().then(
          ({ cameras }) => cameras[0]?.last_fragment_at != null,
          () => false,
        ),
      );
      await Bun.sleep(12_000);
      await using _server = await startTimeServer();
      await site.vm.run("systemctl restart systemd-timesyncd");
      const setMs = Date.now();
      await site.deliveredUntil(setMs);
      const fresh = (await site.videos()).filter(({ file_path }) => !known.has(file_path));
      const corrected = fresh.filter(({ clock_state }) => clock_state === "corrected");
      expectThat(
        corrected.length > 0,
        `none was re-dated: ${JSON.stringify(fresh.map((each) => each.clock_state))}`,
      );
      for (const { start_time, file_path } of fresh) {
        const isThen =
          Date.parse(start_time) > fromMs - 10_000 && Date.parse(start_time) < Date.now() + 10_000;
        expectThat(isThen, `${file_path} has the time ${start_time}`);
      }
      return `booted on ${wrong}; ${corrected.length} of ${fresh.length} videos re-dated to within the run, ${await site.verify()} files whole`;
    },
  },
];

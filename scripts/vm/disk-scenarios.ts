import { expectThat, type Scenario, seconds } from "./scenario.ts";
import { until } from "./site.ts";

const device = "/dev/mapper/flaky";

export const diskScenarios: Scenario[] = [
  {
    name: "disk-errors",
    title:
      "a spool disk that refuses writes costs the time it does, told as gaps, and recording comes back by itself",
    async run(site) {
      await site.start(site.destination("nfs"));
      await site.delivers(1);
      await site.vm.run("systemctl stop livecam-edge && umount /var/lib/livecam");
      const size = (await site.vm.run("blockdev --getsz /dev/vdb")).trim();
      const table = {
        good: `0 ${size} linear /dev/vdb 0`,
        bad: `0 ${size} flakey /dev/vdb 0 0 3600 1 error_writes`,
      };
      const load = async (name: keyof typeof table) =>
        site.vm.run(
          `dmsetup suspend --noflush --nolockfs flaky && dmsetup load flaky --table '${table[name]}' && dmsetup resume flaky`,
        );
      await site.vm.run(`modprobe dm-flakey && dmsetup create flaky --table '${table.good}'`);
      await site.vm.run(
        `mount -o noatime,errors=continue ${device} /var/lib/livecam && systemctl start livecam-edge`,
      );
      try {
        await site.delivers(1);
        const fromMs = Date.now();
        await load("bad");
        await Bun.sleep(20_000);
        const { state } = (await site.status()).cameras[0] ?? {};
        await load("good");
        // What the kernel has given up stays so until the file system is mounted anew; a file system does not heal.
        const mounted = await site.vm.run("grep /var/lib/livecam /proc/mounts");
        const remounted = / ro,/.test(mounted);
        if (remounted) {
          await site.vm.run(
            `systemctl stop livecam-edge; umount -l /var/lib/livecam; sleep 2; fsck.ext4 -fy ${device} >/dev/null; mount -o noatime ${device} /var/lib/livecam && systemctl start livecam-edge`,
          );
        }
        const backMs = performance.now();
        await site.deliveredUntil(Date.now());
        const gaps = await site.account(fromMs - 5000, Date.now());
        expectThat(Object.keys(gaps).length > 0, "20 s without a disk, and no gap");
        return `20 s of failed writes (camera: ${state})${remounted ? ", the kernel made it read-only, checked and mounted again" : ""}; delivering ${seconds(performance.now() - backMs)} later, gaps ${JSON.stringify(gaps)}, ${await site.verify()} files whole`;
      } finally {
        await site.vm.run(
          "systemctl stop livecam-edge; umount -l /var/lib/livecam; sleep 2; dmsetup remove flaky; mount /var/lib/livecam",
        );
        await until("the disk", 10_000, async () => true);
      }
    },
  },
];

import { expectThat, type Scenario, seconds } from "./scenario.ts";
import { until } from "./site.ts";

const device = "/dev/mapper/flaky";

export const diskScenarios: Scenario[] = [
  {
    name: "disk-errors",
    title:
      "a spool disk that refuses writes costs the time it does, told as gaps; recording comes back with the disk",
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
        // A journal that could not be written stays given up until the file system is mounted anew, as by a reboot.
        const probe = "/var/lib/livecam/probe";
        const isReadOnly = (await site.vm.run(`touch ${probe} 2>&1 && rm ${probe} || true`)).trim() !== "";
        if (isReadOnly) {
          await site.vm.run(
            `systemctl stop livecam-edge; umount -l /var/lib/livecam; sleep 2; fsck.ext4 -fy ${device} >/dev/null; mount -o noatime ${device} /var/lib/livecam && systemctl start livecam-edge`,
          );
        }
        const backMs = performance.now();
        await site.deliveredUntil(Date.now());
        const gaps = await site.account(fromMs - 5000, Date.now());
        expectThat(Object.keys(gaps).length > 0, "20 s without a disk, and no gap");
        return `20 s of failed writes (camera: ${state})${isReadOnly ? ", the kernel gave the journal up; checked and mounted anew" : ""}; delivering ${seconds(performance.now() - backMs)} later, gaps ${JSON.stringify(gaps)}, ${await site.verify()} files whole`;
      } finally {
        await site.vm.run(
          "systemctl stop livecam-edge; umount -l /var/lib/livecam; sleep 2; dmsetup remove flaky; mount /var/lib/livecam",
        );
        await until("the disk", 10_000, async () => true);
      }
    },
  },
];

import { expectThat, type Scenario, seconds } from "./scenario.ts";
import { type Site, until } from "./site.ts";

const archive = "/srv/archive";
const config = "/etc/livecam/hub.yaml";

interface Listed {
  video_id: string;
}

export const hubScenarios: Scenario[] = [
  {
    name: "hub-unit",
    title:
      "the hub's unit of deploy/ lists, streams, shows and transcodes with its few rights; a restart and a kill lose nothing",
    async run(site) {
      const { vm } = site;
      await vm.run(
        `id -u livecam >/dev/null 2>&1 || useradd --system --home-dir /var/lib/livecam-hub livecam
         install -d -o livecam -g livecam ${archive}
         sed -e 's|^data_path:.*|data_path: /var/lib/livecam-hub|' -e 's|^archive_path:.*|archive_path: ${archive}|' \
           /root/hub.example.yaml >${config}
         systemctl daemon-reload && systemctl enable --quiet --now livecam-hub`,
      );
      const asHub = (command: string) => vm.run(`runuser -u livecam -- livecam-hub ${command}`);
      try {
        await until("the hub", 120_000, async () => (await hubStatus(site)) === 200);
        await vm.run(
          `runuser -u livecam -- livecam-hub key create --node vm01 --config ${config} >/etc/livecam/own-hub.key && chmod 640 /etc/livecam/own-hub.key`,
        );
        const key = (await asHub(`key create --client vm --config ${config}`)).trim();
        await site.start(
          { type: "path", path: archive },
          { mounts: false, hub: { url: "http://127.0.0.1:8080", keyFile: "/etc/livecam/own-hub.key" } },
        );
        const get = async (path: string, headers: Record<string, string> = {}) => {
          const response = await fetch(vm.hubUrl + path, {
            headers: { authorization: `Bearer ${key}`, ...headers },
          });
          return { status: response.status, bytes: await response.bytes() };
        };
        const videos = async (): Promise<Listed[]> =>
          JSON.parse(new TextDecoder().decode((await get("/api/videos?limit=500")).bytes)).videos;
        const has = (count: number) =>
          until(`${count} videos`, 300_000, async () => (await videos().catch(() => [])).length >= count);
        await has(3);

        const before = await videos();
        const first = before.at(-1)?.video_id;
        const part = await get(`/api/videos/${first}/stream`, { range: "bytes=0-99" });
        expectThat(part.status === 206 && part.bytes.length === 100, `a range is ${part.status}`);
        for (const path of [`thumbnail`, `init/240p.mp4`]) {
          const { status, bytes } = await get(`/api/videos/${first}/${path}`);
          const said = new TextDecoder().decode(bytes.subarray(0, 300));
          expectThat(status === 200 && bytes.length > 300, `${path} is ${status}: ${said}`);
        }
        const rights = await rightsOf(site);
        expectThat(rights === "", `the hub may do more than it should: ${rights}`);

        const stoppedMs = performance.now();
        await vm.run("systemctl restart livecam-hub");
        await has(before.length + 2);
        const restarted = performance.now() - stoppedMs;
        await vm.run("kill -9 $(systemctl show -P MainPID livecam-hub)");
        const killedMs = performance.now();
        await until("the hub", 120_000, async () => (await hubStatus(site)) === 200);
        const known = await videos();
        await has(known.length + 2);
        const killed = performance.now() - killedMs;
        const restarts = (await vm.run("systemctl show -P NRestarts livecam-hub")).trim();
        expectThat(restarts === "1", `it was started again ${restarts} times`);
        const all = new Set((await videos()).map(({ video_id }) => video_id));
        expectThat(
          before.concat(known).every(({ video_id }) => all.has(video_id)),
          "a video is no longer known",
        );
        const exposure = /level for .*: ([\d.]+ \w+)/.exec(
          await vm.run("systemd-analyze security livecam-hub | tail -1"),
        );
        return `as livecam, systemd-analyze exposure ${exposure?.[1]}; two videos more ${seconds(restarted)} after a restart, ${seconds(killed)} after a kill; ${all.size} videos`;
      } catch (error) {
        const log = await vm.run("journalctl -u livecam-hub -o cat -n 20").catch(() => "");
        throw new Error(`${(error as Error).message}\n${log}`);
      } finally {
        // The other hub must not be told of what is here.
        await vm.run(
          `systemctl disable --now livecam-hub; systemctl stop livecam-edge; rm -rf /var/lib/livecam/* ${archive}`,
        );
      }
    },
  },
];

async function hubStatus({ vm }: Site): Promise<number> {
  return fetch(`${vm.hubUrl}/api/health/live`, { signal: AbortSignal.timeout(20_000) }).then(
    ({ status }) => status,
    () => 0,
  );
}

/** What the running hub may do in spite of its unit; empty as it should be. */
async function rightsOf({ vm }: Site): Promise<string> {
  return (
    await vm.run(
      `pid=$(systemctl show -P MainPID livecam-hub)
       [ "$(ps -o user= -p $pid)" = livecam ] || echo "it runs as $(ps -o user= -p $pid)"
       for want in NoNewPrivs:1 Seccomp:2 CapEff:0000000000000000 CapBnd:0000000000000000; do
         grep -Eq "^\${want%%:*}:\\s+\${want#*:}$" /proc/$pid/status || echo "not $want"
       done
       for path in /usr /etc /boot /var/log /home /root; do
         nsenter -t $pid -m touch $path/livecam-probe 2>/dev/null && echo "it writes to $path"
       done
       for path in /var/lib/livecam-hub ${archive} /tmp; do
         nsenter -t $pid -m touch $path/livecam-probe || echo "it cannot write to $path"
         nsenter -t $pid -m rm -f $path/livecam-probe
       done
       [ -e /tmp/livecam-probe ] && echo "its /tmp is everybody's"
       nsenter -t $pid -m test -e /dev/vda && echo "it sees the disks"
       true`,
    )
  ).trim();
}

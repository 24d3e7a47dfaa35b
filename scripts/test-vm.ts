import { parseArgs } from "node:util";
import { bootScenarios } from "./vm/boot-scenarios.ts";
import { diskScenarios } from "./vm/disk-scenarios.ts";
import { hubScenarios } from "./vm/hub-scenarios.ts";
import { ensureImage } from "./vm/image.ts";
import { nasScenarios } from "./vm/nas-scenarios.ts";
import { powerScenarios } from "./vm/power-scenarios.ts";
import type { Scenario } from "./vm/scenario.ts";
import { Site } from "./vm/site.ts";

const scenarios: readonly Scenario[] = [
  ...bootScenarios,
  ...nasScenarios,
  ...powerScenarios,
  ...diskScenarios,
  ...hubScenarios,
];

const usage = `Usage: scripts/test-vm [--only NAME]... [--times N] [--hang SECONDS] [--image] [--list]

Runs livecam-edge, and once livecam-hub, as a service on a Debian with a real kernel, in a machine that is emulated (no right to virtualise is
needed), with its hub and a NAS by NFS-Ganesha and Samba on this one, and injects faults. Needs root and Debian's
packages; the machine's disk is made from them once, and kept in $XDG_CACHE_HOME/livecam/vm.

  --only NAME     this scenario, or those whose name begins so; may be repeated
  --times N       how often the power is cut (3)
  --hang SECONDS  how long a server hangs (60)
  --image         only make the disk
  --list          the scenarios
All of it takes some 20 minutes on two cores. One line per scenario, then "N passed, N failed"; the exit code is 0 when
nothing failed.
`;

const whole = (text: string | undefined, otherwise: number, name: string): number => {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`--${name} takes a whole number from 1 to 99999`);
  return Number(text);
};

function parseOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      times: { type: "string" },
      hang: { type: "string" },
      image: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  const only = values.only ?? [""];
  const chosen = scenarios.filter(({ name }) => only.some((prefix) => name.startsWith(prefix)));
  const unknown = only.find((prefix) => !scenarios.some(({ name }) => name.startsWith(prefix)));
  if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}; see --list`);
  return {
    ...values,
    chosen,
    times: whole(values.times, 3, "times"),
    hangSeconds: whole(values.hang, 60, "hang"),
  };
}

async function main(): Promise<number> {
  let options: ReturnType<typeof parseOptions>;
  try {
    options = parseOptions();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (options.list) {
    for (const { name, title } of scenarios) console.log(`${name.padEnd(12)} ${title}`);
    return 0;
  }
  const image = await ensureImage((text) => console.log(text));
  if (options.image) return 0;

  const opening = Site.open(image);
  // Also what comes while the machine is made: nothing of it is left behind.
  const dispose = () => opening.then((site) => site[Symbol.asyncDispose]()).catch(() => undefined);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(name, () => void dispose().finally(() => process.exit(130)));
  }
  await using site = await opening;
  const startedMs = performance.now();
  await site.vm.boot();
  console.log(`booted in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  let failed = 0;
  for (const { name, title, run } of options.chosen) {
    const beganMs = performance.now();
    const outcome = await run(site, options).then(
      (figures) => ({ ok: true, text: figures }),
      (error: Error) => ({ ok: false, text: error.message }),
    );
    const tookSeconds = Math.round((performance.now() - beganMs) / 1000);
    console.log(`${outcome.ok ? "pass" : "FAIL"} ${name}: ${title} [${outcome.text}] (${tookSeconds} s)`);
    if (outcome.ok) continue;
    failed++;
    const log = await site.vm
      .run("journalctl -u livecam-edge -o cat -n 30")
      .catch((error: Error) => error.message);
    console.log(log.replace(/^/gm, "  | "));
  }
  console.log(`${options.chosen.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exit(await main());

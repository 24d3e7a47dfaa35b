import { faketimeLibrary } from "../../tests/support/fake-time.ts";
import type { Fault } from "./fault.ts";

const unable = faketimeLibrary === undefined ? "libfaketime is not installed" : undefined;
const wasSet = "the clock was set; segments follow it from here on";

function step(name: string, seconds: number): Fault {
  return {
    ...{ name, unable, site: { clockOffsetSeconds: 0 } },
    inject: async (site) => {
      await site.time?.set(seconds);
      await site.edge.logged(wasSet);
      return undefined;
    },
  };
}

export const clockFaults: readonly Fault[] = [
  step("clock stepped 1 h forward", 3600),
  step("clock stepped 1 h back", -3600),
  {
    name: "boot in 1970, clock set later",
    unable,
    site: { clockOffsetSeconds: -Math.round(Date.now() / 1000) + 60 },
    inject: async (site) => async () => {
      await site.time?.set(0);
      await site.edge.logged("a segment was dated anew, now that the clock is set");
    },
  },
];

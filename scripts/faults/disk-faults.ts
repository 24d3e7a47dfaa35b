import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Fault } from "./fault.ts";

const needsRoot = process.getuid?.() === 0 ? undefined : "needs root";

export const diskFaults: readonly Fault[] = [
  {
    name: "spool full while the archive is away",
    unable: needsRoot,
    site: { spoolDiskBytes: 600_000 },
    inject: async (site) => {
      const metadata = join(site.site.archive, "metadata");
      await rename(metadata, `${metadata}-away`);
      const isFull = async () => (await site.client.status()).cameras[0]?.state === "retrying";
      await site.until(isFull, "a full spool");
      return () => rename(`${metadata}-away`, metadata);
    },
  },
  {
    name: "the spool's disk takes nothing (ENOSPC)",
    unable: needsRoot,
    site: { spoolDiskBytes: 16_000_000 },
    inject: async (site) => {
      const filler = join(site.site.spool, "filler");
      await writeFile(filler, Buffer.alloc(20_000_000)).catch(() => undefined);
      return () => rm(filler);
    },
  },
];

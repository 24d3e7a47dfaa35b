import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startSlowProxy } from "../../tests/support/slow-proxy.ts";
import { canServeSmb, SmbServer, whyNoSmb } from "../../tests/support/smb-server.ts";
import type { Fault } from "./fault.ts";
import { type FaultSite, runCommand, type SiteOptions } from "./fault-site.ts";

const needsRoot = process.getuid?.() === 0 ? undefined : "needs root";
const needsSmb = canServeSmb ? undefined : whyNoSmb;
const identityOf = (site: FaultSite) => join(site.site.archive, "metadata", "archive.json");

/** The Samba server of each site by its folder. */
const servers = new Map<string, SmbServer>();
const serverOf = (site: FaultSite) => servers.get(site.folder) as SmbServer;

/** An archive that the edge reaches through a real Samba, and the hub as a folder; `bytesPerSecond` makes its wire slow. */
async function smbSite(folder: string, bytesPerSecond?: number): Promise<SiteOptions> {
  const server = await SmbServer.start({ videos: join(folder, "videos") });
  servers.set(folder, server);
  const proxy = bytesPerSecond === undefined ? undefined : await startSlowProxy(server.port, bytesPerSecond);
  const destination = { ...server.destination("videos"), ...(proxy && { port: proxy.port }) };
  return {
    config: { upload: { destination, stall_seconds: 5 } },
    resource: {
      async [Symbol.asyncDispose]() {
        servers.delete(folder);
        await proxy?.[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    },
  };
}

export const archiveFaults: readonly Fault[] = [
  {
    name: "archive not mounted",
    inject: async (site) => {
      const metadata = join(site.site.archive, "metadata");
      await rename(metadata, `${metadata}-away`);
      return () => rename(`${metadata}-away`, metadata);
    },
  },
  {
    name: "another archive in its place",
    inject: async (site) => {
      const own = await readFile(identityOf(site), "utf8");
      const other = { ...JSON.parse(own), archive_id: crypto.randomUUID() };
      await writeFile(identityOf(site), JSON.stringify(other));
      return () => writeFile(identityOf(site), own);
    },
  },
  {
    name: "archive read-only",
    unable: needsRoot,
    site: { archiveDiskBytes: 64_000_000 },
    inject: async (site) => {
      const { archive } = site.site;
      // A worker that has a file open for writing refuses it.
      for (let tries = 0; ; tries++) {
        try {
          await runCommand("mount", "-o", "remount,ro", archive);
          break;
        } catch (error) {
          if (tries > 50) throw error;
        }
      }
      return () => runCommand("mount", "-o", "remount,rw", archive);
    },
  },
  {
    name: "archive full",
    unable: needsRoot,
    site: { archiveDiskBytes: 16_000_000 },
    inject: async (site) => {
      const filler = join(site.site.archive, "metadata", "filler");
      await writeFile(filler, Buffer.alloc(20_000_000)).catch(() => undefined);
      return () => rm(filler);
    },
  },
  {
    name: "SMB server hangs (SIGSTOP smbd)",
    unable: needsSmb,
    leastMs: 10_000,
    site: smbSite,
    inject: async (site) => {
      await serverOf(site).signal("SIGSTOP");
      return () => serverOf(site).signal("SIGCONT");
    },
  },
  {
    name: "SMB server killed, and started again",
    unable: needsSmb,
    site: smbSite,
    inject: async (site) => {
      await serverOf(site).kill();
      return () => serverOf(site).run();
    },
  },
  {
    name: "SMB over a slow wire (20 kB/s; the camera makes 8)",
    unable: needsSmb,
    site: (folder) => smbSite(folder, 20_000),
    inject: async () => () => undefined,
  },
  {
    name: "SMB over a slow wire (1 MB/s; the camera makes 0.5)",
    unable: needsSmb,
    site: async (folder) => ({
      ...(await smbSite(folder, 1_000_000)),
      camera: { width: 960, height: 540, bitrate: 4_000_000 },
    }),
    inject: async () => () => undefined,
  },
];

import { join } from "node:path";
import { readSecret } from "../../common/secret.ts";
import type { DestinationConfig } from "../destination-config.ts";
import type { ArchiveDestination } from "./archive-destination.ts";
import { openCredentialsFile } from "./credentials-file.ts";
import { ManagedMount } from "./managed-mount.ts";
import { planNfsMount, planSmbMount } from "./mount-plan.ts";
import { MountedDestination } from "./mounted-destination.ts";
import { PathDestination } from "./path-destination.ts";
import { SmbDestination } from "./smb-destination.ts";

export interface DestinationContext {
  env: Readonly<Record<string, string | undefined>>;
  /** For credentials in use, and for the folder that is mounted on. */
  runFolder: string;
}

/** The adapters, by what the config names. */
export function createDestination(
  config: DestinationConfig,
  { env, runFolder }: DestinationContext,
): ArchiveDestination & { close?(): Promise<void> } {
  if (config.type === "path") return new PathDestination({ path: config.path });
  const folder = join(runFolder, "archive");
  if (config.type === "nfs") {
    const plan = planNfsMount(config);
    return new MountedDestination({
      mount: new ManagedMount({ folder, withPlan: (use) => use(plan) }),
      path: "",
    });
  }
  const password = () => readSecret(config.password, env);
  if (config.mode === "client") return new SmbDestination({ config, password, runFolder });
  const mount = new ManagedMount({
    folder,
    async withPlan(use) {
      const { username, domain } = config;
      const account = { username, domain, password: await password() };
      await using credentials = await openCredentialsFile(runFolder, account);
      const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
      return await use(planSmbMount(config, { credentialsFile: credentials.path, ...own }));
    },
  });
  return new MountedDestination({ mount, path: config.path });
}

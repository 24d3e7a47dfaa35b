import type { NfsDestination, SmbMountDestination } from "../destination-config.ts";

export interface MountPlan {
  /** For `mount -t`. */
  type: "nfs4" | "cifs";
  /** As `mount` is given it, and as the mount table shows it. */
  source: string;
  options: readonly string[];
  /** What the mount table has to show among the options of the file system, and what is right there. */
  shown: Readonly<Record<string, (value: string) => boolean>>;
}

/** Nothing on an archive is a program, and nobody needs to know when it was read. */
const always = ["rw", "noatime", "nosuid", "nodev", "noexec"];

/**
 * nfs(5). `softerr`: calls to a server that does not answer end with ETIMEDOUT after 30 s (5 + 10 + 15, see timeo and
 * retrans) instead of never, so the upload worker can be ended and the mount taken off. What makes `soft` dangerous,
 * programs that ignore a failed write, does not hold here: a failed write or fsync throws the whole file away.
 * `nosharecache`: a mount of the same export that somebody else made does not lend this one its options.
 * `retry=0`: trying again is livecam's own business.
 */
export function planNfsMount(config: NfsDestination): MountPlan {
  const { server, port, version, sec } = config;
  return {
    type: "nfs4",
    source: `${server}:${config.export}`,
    options: [
      ...[...always, `vers=${version}`, "proto=tcp", ...(port === undefined ? [] : [`port=${port}`])],
      ...[`sec=${sec}`, "softerr", "timeo=50", "retrans=2", "retry=0", "nosharecache"],
      ...config.options,
    ],
    shown: {
      vers: (value) => value === version || (version === "4" && value.startsWith("4.")),
      sec: (value) => value === sec,
    },
  };
}

/**
 * mount.cifs(8). `soft`: as for NFS. `echo_interval=10`: a dead server is noticed within half a minute. `nosharesock`:
 * a connection of our own. `uid`, `gid` and modes are what the files look like here; the server decides by the account.
 * Account and password stand in `credentialsFile`, which only we can read.
 */
export function planSmbMount(
  config: SmbMountDestination,
  own: { credentialsFile: string; uid: number; gid: number },
): MountPlan {
  const { server, port, share, protocol } = config;
  return {
    type: "cifs",
    source: `//${server}/${share}`,
    options: [
      ...[...always, `vers=${protocol === "SMB3" ? "3" : "2.1"}`, `credentials=${own.credentialsFile}`],
      ...(port === undefined ? [] : [`port=${port}`]),
      ...[`uid=${own.uid}`, `gid=${own.gid}`, "file_mode=0644", "dir_mode=0755", "iocharset=utf8"],
      ...["soft", "echo_interval=10", "nosharesock"],
      ...config.options,
    ],
    shown: {},
  };
}

export function mountArguments(plan: MountPlan, folder: string): string[] {
  return ["mount", "-t", plan.type, "-o", plan.options.join(","), "--", plan.source, folder];
}

/** `lazy` takes it out of the tree at once and asks no server, whoever still uses it. */
export function unmountArguments(folder: string, lazy: boolean): string[] {
  return ["umount", "--no-canonicalize", ...(lazy ? ["--lazy", "--internal-only"] : []), "--", folder];
}

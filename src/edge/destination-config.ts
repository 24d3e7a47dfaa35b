import * as v from "valibot";
import { SecretSource } from "../common/secret.ts";

/** Where an edge brings its segments. See docs/destinations.md. */

const absolutePath = v.pipe(v.string(), v.maxLength(4096), v.regex(/^\/[^\0]*$/, "an absolute path"));
const server = v.pipe(
  v.string(),
  v.maxLength(253),
  v.regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, "a host name or an IPv4 address"),
);
const port = v.pipe(
  v.number(),
  v.safeInteger("a port"),
  v.minValue(1, "a port"),
  v.maxValue(65_535, "a port"),
);
/** Mounted by fstab, by systemd, or a disk of this machine. */
export const PathDestination = v.strictObject({
  type: v.literal("path"),
  /** Root of the archive: a mounted share, or a local folder. */
  path: absolutePath,
});

const smb = {
  type: v.literal("smb"),
  server,
  port: v.optional(port),
  share: v.pipe(
    v.string(),
    v.maxLength(80),
    v.regex(/^[^\s"*+,/:;<=>?[\\\]|\p{Cc}](?:[^"*+,/:;<=>?[\\\]|\p{Cc}]*\S)?$/u, "the name of a share"),
  ),
  /** Root of the archive within the share; empty for the share itself. */
  path: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(1024),
      v.regex(
        /^(?:(?!\.\.?(?:\/|$))[^"*:;<>?\\|/\p{Cc}]+(?:\/(?!\.\.?(?:\/|$))[^"*:;<>?\\|/\p{Cc}]+)*)?$/u,
        "a folder in the share such as cameras/videos, without a slash at either end",
      ),
    ),
    "",
  ),
  username: v.pipe(
    v.string(),
    v.maxLength(104),
    v.regex(
      /^[^\s"%/:;<=>?[\\\]|\p{Cc}](?:[^"%/:;<=>?[\\\]|\p{Cc}]*\S)?$/u,
      "a user name; the domain stands in domain",
    ),
  ),
  password: SecretSource,
  domain: v.optional(
    v.pipe(v.string(), v.maxLength(255), v.regex(/^[A-Za-z0-9._-]+$/, "a domain or workgroup")),
  ),
  /** Oldest version that is accepted, and newest that is asked for. */
  protocol: v.optional(v.picklist(["SMB2", "SMB3"]), "SMB3"),
};

/** Through `smbclient`, where nothing may be mounted. */
export const SmbClientDestination = v.strictObject({
  ...smb,
  mode: v.literal("client"),
  /** `size` asks the server how much it has; `read_back` reads every file once more and compares its hash. */
  verify: v.optional(v.picklist(["size", "read_back"]), "size"),
});
export type SmbClientDestination = v.InferOutput<typeof SmbClientDestination>;

/** What livecam sets itself, or what would put a secret where others can read it. */
const ownMountOptions = new Set(
  "sec vers nfsvers proto port credentials cred user username pass password domain dom suid dev exec ro".split(
    " ",
  ),
);

/** Further mount options, behind livecam's own: the last of a kind holds. */
const mountOptions = v.optional(
  v.pipe(
    v.array(
      v.pipe(
        v.string(),
        v.maxLength(128),
        v.regex(/^[a-z0-9_]+(?:=[A-Za-z0-9._:@/-]+)?$/, "one mount option such as rsize=1048576"),
        v.check(
          (option) => !ownMountOptions.has(option.split("=")[0] ?? ""),
          "an option other than those that livecam sets itself (version, security, port, account, ro)",
        ),
      ),
    ),
    v.maxLength(32),
  ),
  [],
);

/** Mounted and unmounted by livecam, which needs root for it. */
export const SmbMountDestination = v.strictObject({
  ...smb,
  mode: v.literal("mount"),
  options: mountOptions,
});
export type SmbMountDestination = v.InferOutput<typeof SmbMountDestination>;

/** Mounted and unmounted by livecam, which needs root for it. */
export const NfsDestination = v.strictObject({
  type: v.literal("nfs"),
  server,
  port: v.optional(port),
  /** Root of the archive on the server; a folder below an export will do. */
  export: v.pipe(
    v.string(),
    v.maxLength(1024),
    v.regex(/^\/[^\s\p{Cc}\\]*$/u, "an absolute path on the server, without blanks"),
  ),
  /** In YAML, 4.2 is a number. */
  version: v.optional(
    v.pipe(v.union([v.string(), v.number()]), v.transform(String), v.picklist(["4", "4.0", "4.1", "4.2"])),
    "4.2",
  ),
  sec: v.optional(v.picklist(["sys", "krb5", "krb5i", "krb5p"]), "sys"),
  options: mountOptions,
});
export type NfsDestination = v.InferOutput<typeof NfsDestination>;

export const DestinationConfig = v.variant("type", [
  PathDestination,
  NfsDestination,
  v.variant("mode", [SmbClientDestination, SmbMountDestination]),
]);
export type DestinationConfig = v.InferOutput<typeof DestinationConfig>;

/** Whether livecam mounts it, and so has to take it off. */
export function isMounted(config: DestinationConfig): boolean {
  return config.type === "nfs" || (config.type === "smb" && config.mode === "mount");
}

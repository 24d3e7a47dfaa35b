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

export const DestinationConfig = v.variant("type", [
  PathDestination,
  v.variant("mode", [SmbClientDestination]),
]);
export type DestinationConfig = v.InferOutput<typeof DestinationConfig>;

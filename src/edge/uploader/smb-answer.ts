import { AppError } from "../../common/errors.ts";

/** One line of what `ls` lists. */
export interface SmbEntry {
  name: string;
  isFolder: boolean;
  sizeBytes: number;
}

/** Names that livecam gives; no other is ever put into a command. */
const safeName = /^[A-Za-z0-9._-]+$/;
const entryLine = /^ {2}(\S+) +([A-Z]*) +(\d+) {2}\S/;
const spaceLine = /^\s*\d+ blocks of size (\d+)\. (\d+) blocks available$/;

/** The entries of an `ls`, without those whose names are none of ours. */
export function parseSmbListing(lines: readonly string[]): SmbEntry[] {
  return lines.flatMap((line): SmbEntry[] => {
    const [, name = "", attributes = "", size] = entryLine.exec(line) ?? [];
    if (!safeName.test(name) || name === "." || name === "..") return [];
    return [{ name, isFolder: attributes.includes("D"), sizeBytes: Number(size) }];
  });
}

/** What the last line of an `ls` says is free, in bytes. */
export function parseSmbFreeBytes(lines: readonly string[]): number | undefined {
  for (const line of lines) {
    const [, blockBytes, blocks] = spaceLine.exec(line) ?? [];
    if (blockBytes !== undefined && blocks !== undefined) return Number(blockBytes) * Number(blocks);
  }
  return undefined;
}

/** The first NT status of an answer ([MS-ERREF] 2.3.1), without `NT_STATUS_`; undefined when all went well. */
export function smbStatusOf(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const status = /\bNT_STATUS_([A-Z0-9_]+)/.exec(line)?.[1];
    if (status !== undefined && status !== "OK") return status;
  }
  return undefined;
}

/** The errno that a mounted share would have given. */
const errnos: Readonly<Record<string, string>> = {
  DISK_FULL: "ENOSPC",
  QUOTA_EXCEEDED: "EDQUOT",
  ACCESS_DENIED: "EACCES",
  MEDIA_WRITE_PROTECTED: "EROFS",
  OBJECT_NAME_NOT_FOUND: "ENOENT",
  OBJECT_PATH_NOT_FOUND: "ENOTDIR",
  NOT_A_DIRECTORY: "ENOTDIR",
  SHARING_VIOLATION: "EBUSY",
};

/** The error of one operation in an archive that was reached. */
export function smbOperationError(what: string, lines: readonly string[]): AppError {
  const status = smbStatusOf(lines);
  const reason =
    status === undefined ? lines.slice(-3).join(" ").trim() || "the connection was lost" : status;
  return new AppError("io", `${what}: ${reason}`, {
    details: {
      side: "archive",
      ...(status !== undefined && { nt_status: status, errno: errnos[status] }),
    },
  });
}

const refusals: readonly [pattern: RegExp, reason: string][] = [
  [/LOGON_FAILURE|WRONG_PASSWORD|NO_SUCH_USER/, "refused user name or password"],
  [/ACCOUNT_|PASSWORD_(?:EXPIRED|MUST_CHANGE)|LOGIN_|LOGON_/, "does not let this user in now"],
  [/BAD_NETWORK_NAME/, "has no such share"],
  [/ACCESS_DENIED/, "does not let this user use the share"],
  [/OBJECT_(?:NAME|PATH)_NOT_FOUND|NOT_A_DIRECTORY/, "has no such folder in the share"],
  [/CONNECTION_REFUSED/, "refuses connections: is the SMB service running, is the port right?"],
  [/IO_TIMEOUT/, "does not answer"],
  [/NOT_SUPPORTED|INVALID_NETWORK_RESPONSE|CONNECTION_DISCONNECTED/, "does not speak the protocol asked for"],
  [/UNSUCCESSFUL|HOST_UNREACHABLE|NETWORK_UNREACHABLE|NOT_FOUND/, "cannot be found or reached"],
];

/** The error of a connection that did not come about. */
export function smbConnectionError(address: string, lines: readonly string[]): AppError {
  const status = smbStatusOf(lines);
  const reason = refusals.find(([pattern]) => status !== undefined && pattern.test(status))?.[1];
  const said = status ?? (lines.slice(-3).join(" ").trim() || "the connection was lost");
  return new AppError(
    "unavailable",
    reason === undefined ? `${address}: ${said}` : `${address} ${reason} (${said})`,
    { details: { side: "archive", nt_status: status } },
  );
}

import { parseArchiveIdentity } from "../../common/archive-identity.ts";
import { archiveIdentityPath } from "../../common/archive-path.ts";
import { AppError, describeError } from "../../common/errors.ts";
import type { SmbClientDestination } from "../destination-config.ts";
import { smbClientArguments } from "./smb-arguments.ts";
import { SmbFile } from "./smb-file.ts";
import { SmbSession } from "./smb-session.ts";
import { SmbUpload } from "./smb-upload.ts";

const maxIdentityBytes = 4096;
/** In flight, which `smbclient` rounds up to one request of the server's size (8 MiB at Samba). More is not faster. */
const windowBytes = 65_536;

/**
 * An archive in a share, whose identity was checked on the connection that is used. Each further connection that
 * writes checks it again.
 */
export class SmbArchive implements AsyncDisposable {
  readonly #config: SmbClientDestination;
  readonly #credentialsFile: string;
  readonly #identity: Uint8Array;

  private constructor(
    readonly session: SmbSession,
    readonly archiveId: string,
    options: { config: SmbClientDestination; credentialsFile: string; identity: Uint8Array },
  ) {
    this.#config = options.config;
    this.#credentialsFile = options.credentialsFile;
    this.#identity = options.identity;
  }

  /** Throws `unavailable` when the share cannot be used, has no archive, or another one than `expectedArchiveId`. */
  static async open(
    options: { config: SmbClientDestination; credentialsFile: string },
    expectedArchiveId: string | undefined,
  ): Promise<SmbArchive> {
    const { config, credentialsFile } = options;
    const address = smbAddress(config);
    const session = await SmbSession.open(smbClientArguments(config, { credentialsFile }), address);
    try {
      const identity = await readIdentity(session, address);
      const archiveId = archiveIdIn(identity, address);
      if (expectedArchiveId !== undefined && archiveId !== expectedArchiveId) {
        const reason = `another archive is at ${address}: it is ${archiveId}, and the hub's is ${expectedArchiveId}`;
        throw new AppError("unavailable", reason, { details: { reason: "other_archive" } });
      }
      return new SmbArchive(session, archiveId, { ...options, identity });
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A new file, written over a connection of its own. */
  startUpload(path: string): Promise<SmbUpload> {
    const command = `iosize ${windowBytes}; get "${archiveIdentityPath}" -; put - "${path}"`;
    const credentialsFile = this.#credentialsFile;
    return SmbUpload.start(smbClientArguments(this.#config, { credentialsFile, command }), this.#identity);
  }

  /** A file to be read from its start, over a connection of its own. */
  async openFile(path: string, sizeBytes: number): Promise<SmbFile> {
    const argv = smbClientArguments(this.#config, { credentialsFile: this.#credentialsFile });
    return new SmbFile(path, sizeBytes, await SmbSession.open(argv, smbAddress(this.#config)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.session[Symbol.asyncDispose]();
  }
}

/** For messages: `//nas/cameras/videos`, with its port where that is not the usual one. */
function smbAddress({ server, port, share, path }: SmbClientDestination): string {
  return `//${server}${port === undefined ? "" : `:${port}`}/${share}${path === "" ? "" : `/${path}`}`;
}

async function readIdentity(session: SmbSession, address: string): Promise<Uint8Array> {
  const sizeBytes = await session.sizeOf(archiveIdentityPath);
  if (sizeBytes === undefined) {
    throw new AppError(
      "unavailable",
      `no archive is at ${address}: there is no ${archiveIdentityPath} in it`,
    );
  }
  if (sizeBytes > maxIdentityBytes) {
    throw new AppError("unavailable", `${archiveIdentityPath} at ${address} is damaged: ${sizeBytes} bytes`);
  }
  return session.readSmall(archiveIdentityPath);
}

function archiveIdIn(identity: Uint8Array, address: string): string {
  try {
    return parseArchiveIdentity(new TextDecoder().decode(identity)).archive_id;
  } catch (cause) {
    const reason = `${archiveIdentityPath} at ${address} is damaged: ${describeError(cause)}`;
    throw new AppError("unavailable", reason);
  }
}

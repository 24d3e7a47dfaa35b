import { basename, dirname } from "node:path/posix";
import { archivePathOf } from "../../common/archive-path.ts";
import { sleep } from "../../common/clock.ts";
import { AppError, describeError } from "../../common/errors.ts";
import { readBox } from "../../common/mp4/boxes.ts";
import { parseIdentityBox } from "../../common/mp4/identity-box.ts";
import { RegularFile } from "../../common/mp4/regular-file.ts";
import type { SequentialReaderOptions } from "../../common/mp4/sequential-reader.ts";
import { verifyOpenedFile } from "../../common/mp4/verify-file.ts";
import type { Secret } from "../../common/secret.ts";
import type { SegmentIdentity } from "../../common/segment-identity.ts";
import type { SmbClientDestination } from "../destination-config.ts";
import type {
  ArchiveDestination,
  ConnectionCheck,
  PutOptions,
  PutRequest,
  PutResult,
} from "./archive-destination.ts";
import { runArchivePass } from "./archive-pass.ts";
import { openCredentialsFile } from "./credentials-file.ts";
import { dayFolderOf, isPartialOf, newPartialPath, takenPathsOf } from "./day-names.ts";
import { HashedSource } from "./hashed-source.ts";
import { type KnownFile, knownFileOf } from "./known-file.ts";
import { proofOf } from "./segment-proof.ts";
import type { SmbEntry } from "./smb-answer.ts";
import { SmbArchive } from "./smb-archive.ts";
import type { SmbFile } from "./smb-file.ts";
import { planFromSource } from "./source-plan.ts";
import { tryWritingToShare } from "./trial-file.ts";

export interface SmbDestinationOptions {
  config: SmbClientDestination;
  password: () => Promise<Secret>;
  /** Where the credentials stand while a connection is made; on a file system in memory. */
  runFolder: string;
}

const maxAttempts = 9999;
const readAheadBytes = 64 * 1024;
const watchEveryMs = 1000;

/** An archive in an SMB share that is not mounted: everything goes through `smbclient`. */
export class SmbDestination implements ArchiveDestination {
  readonly #options: SmbDestinationOptions;

  constructor(options: SmbDestinationOptions) {
    this.#options = options;
  }

  async check(): Promise<ConnectionCheck> {
    try {
      await using credentials = await this.#openCredentials();
      await using archive = await this.#openArchive(credentials.path, undefined);
      return { ok: true, archiveId: archive.archiveId, freeBytes: await archive.session.freeBytes() };
    } catch (error) {
      return { ok: false, reason: describeError(error) };
    }
  }

  async tryWriting(expectedArchiveId: string | undefined): Promise<void> {
    await using credentials = await this.#openCredentials();
    await using archive = await this.#openArchive(credentials.path, expectedArchiveId);
    await tryWritingToShare(archive);
  }

  async put(request: PutRequest, options: PutOptions = {}): Promise<PutResult> {
    const { identity, sourcePath, expectedArchiveId } = request;
    await using credentials = await this.#openCredentials();
    await using archive = await this.#openArchive(credentials.path, expectedArchiveId);
    const { archiveId, session } = archive;
    await using source = await RegularFile.open(sourcePath);
    const layout = await planFromSource(request, source);

    const folder = dayFolderOf(identity);
    for (const path of [dirname(folder), folder]) await session.makeFolder(path);
    const entries = (await session.list(folder)) ?? [];
    const known = await findInArchive(archive, entries, identity, {
      ...options,
      prefixBytes: source.sizeBytes,
    });
    for (const { name } of entries)
      if (isPartialOf(identity, name)) await session.remove(`${folder}/${name}`);
    if (known) return { archiveId, ...known, alreadyThere: true };

    const partial = newPartialPath(identity);
    try {
      await using hashed = await HashedSource.open(source, layout);
      const pass = { source: hashed, layout, proof: proofOf(request), ...options };
      const { fileSha256 } = await upload(archive, partial, pass);
      await this.#checkPartial(archive, partial, { sizeBytes: layout.totalSizeBytes, sha256: fileSha256 });
      if (options.signal?.aborted) throw new AppError("cancelled", "the upload was cancelled");
      const filePath = await publish(archive, partial, identity, entries);
      return { archiveId, filePath, fileSizeBytes: layout.totalSizeBytes, fileSha256, alreadyThere: false };
    } catch (error) {
      // What cannot be removed now is removed by the next try; the error that is told is the first one.
      await session.remove(partial).catch(() => undefined);
      throw error;
    }
  }

  async #checkPartial(
    archive: SmbArchive,
    path: string,
    expected: { sizeBytes: number; sha256: string },
  ): Promise<void> {
    const { session } = archive;
    const sizeBytes = await session.sizeOf(path);
    if (sizeBytes !== expected.sizeBytes) {
      throw archiveFault(`the archive kept ${sizeBytes ?? "none"} of ${expected.sizeBytes} bytes`);
    }
    if (this.#options.config.verify !== "read_back") return;
    await using file = await archive.openFile(path, sizeBytes);
    if ((await sha256Of(file)) !== expected.sha256) {
      throw archiveFault("the archive gave back something else than was written to it");
    }
  }

  async #openCredentials() {
    const { config, password, runFolder } = this.#options;
    const { username, domain } = config;
    return openCredentialsFile(runFolder, { username, domain, password: await password() });
  }

  #openArchive(credentialsFile: string, expectedArchiveId: string | undefined): Promise<SmbArchive> {
    return SmbArchive.open({ config: this.#options.config, credentialsFile }, expectedArchiveId);
  }
}

async function upload(
  archive: SmbArchive,
  partial: string,
  pass: Omit<Parameters<typeof runArchivePass>[0], "target">,
): ReturnType<typeof runArchivePass> {
  await using target = await archive.startUpload(partial);
  const { onProgress, ...rest } = pass;
  if (!onProgress) return await runArchivePass({ ...rest, target });
  const over = new AbortController();
  let writtenBytes = 0;
  const watching = watchGrowth(archive, partial, over.signal, () =>
    onProgress(writtenBytes, pass.layout.totalSizeBytes),
  );
  try {
    return await runArchivePass({
      ...rest,
      target,
      onProgress: (written, total) => {
        writtenBytes = written;
        onProgress(written, total);
      },
    });
  } finally {
    over.abort();
    await watching;
  }
}

/**
 * `smbclient` takes many megabytes at once and then nothing for long: whether the upload goes on is seen at the other
 * end, where the file grows by one request after the other. A server that does not tell the size of an open file is
 * none the worse for it.
 */
async function watchGrowth(
  { session }: SmbArchive,
  path: string,
  signal: AbortSignal,
  onGrowth: () => void,
): Promise<void> {
  for (let seenBytes = 0; !signal.aborted; await sleep(watchEveryMs, signal)) {
    const sizeBytes = (await session.sizeOf(path).catch(() => undefined)) ?? 0;
    if (sizeBytes > seenBytes) onGrowth();
    seenBytes = sizeBytes;
  }
}

/** Gives the partial the first free name, without ever replacing a file. */
async function publish(
  { session }: SmbArchive,
  partial: string,
  identity: SegmentIdentity,
  entries: readonly SmbEntry[],
): Promise<string> {
  const taken = new Set(entries.map(({ name }) => name));
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    const path = archivePathOf(identity, attempt);
    if (taken.has(basename(path))) continue;
    if ((await session.rename(partial, path)) === "renamed") return path;
  }
  throw archiveFault(`${maxAttempts} names are taken in ${dayFolderOf(identity)}`);
}

/** This very segment, whole, from an upload whose end nobody saw; see `PathDestination`. */
async function findInArchive(
  archive: SmbArchive,
  entries: readonly SmbEntry[],
  identity: SegmentIdentity,
  options: SequentialReaderOptions,
): Promise<KnownFile | undefined> {
  const files = new Map(entries.filter(({ isFolder }) => !isFolder).map((entry) => [entry.name, entry]));
  for (const filePath of takenPathsOf(identity, files.keys())) {
    const sizeBytes = files.get(basename(filePath))?.sizeBytes ?? 0;
    if ((await videoIdOf(archive, filePath, sizeBytes)) !== identity.videoId) continue;
    const report = await verifyOpenedFile(filePath, () => archive.openFile(filePath, sizeBytes), options);
    const known = knownFileOf(report, filePath, identity);
    if (known) return known;
  }
  return undefined;
}

/** By the file's first bytes; undefined when livecam did not write it. */
async function videoIdOf(archive: SmbArchive, path: string, sizeBytes: number): Promise<string | undefined> {
  await using file = await archive.openFile(path, sizeBytes);
  const head = new Uint8Array(Math.min(readAheadBytes, sizeBytes));
  await file.readInto(head, 0);
  try {
    const ftyp = readBox(head);
    return parseIdentityBox(head, readBox(head, ftyp.end)).videoId;
  } catch (error) {
    if (error instanceof AppError && error.code === "corrupt_file") return undefined;
    throw error;
  }
}

async function sha256Of(file: SmbFile): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const block = new Uint8Array(1024 * 1024);
  for (let offset = 0; offset < file.sizeBytes; ) {
    const filled = await file.readInto(block, offset);
    hash.update(block.subarray(0, filled));
    offset += filled;
  }
  return hash.digest("hex");
}

function archiveFault(message: string): AppError {
  return new AppError("io", message, { details: { side: "archive" } });
}

/** What a look at the archive's folder found. */
export type ArchiveFinding =
  | { found: "archive"; archiveId: string; freeBytes: number; totalBytes: number; writable: boolean }
  /** No such folder, or it is not one. */
  | { found: "no_folder" }
  /** A folder with nothing in it: a new archive, or a mount point without its mount. */
  | { found: "empty" }
  /** Something is there, but no identity file: an archive that lost it, or a folder that is none. */
  | { found: "no_identity" }
  | { found: "bad_identity" };

/**
 * Looks at the archive without ever making its caller wait for a hung one. Throws `timeout` when it does not answer,
 * `io` when it answers with an error.
 */
export interface ArchiveProbe {
  /** `create`: the identity to write when the folder is empty; what is then found is the archive. */
  look(options: { create: NewArchive | undefined }): Promise<ArchiveFinding>;
}

export interface NewArchive {
  archiveId: string;
  createdAtMs: number;
}

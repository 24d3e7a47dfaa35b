// scripts/build replaces both by literals; run from source they do not exist.
declare const LIVECAM_BUILD_VERSION: string;
declare const LIVECAM_BUILD_COMMIT: string;

export interface Version {
  /** Semantic version of the release, `0.1.0`; `0.0.0-source` when run from source. */
  version: string;
  /** Short git commit, `-dirty` when the tree was changed. */
  commit: string;
}

export const version: Version = {
  version: typeof LIVECAM_BUILD_VERSION === "undefined" ? "0.0.0-source" : LIVECAM_BUILD_VERSION,
  commit: typeof LIVECAM_BUILD_COMMIT === "undefined" ? "source" : LIVECAM_BUILD_COMMIT,
};

/** `0.1.0 (abc1234)`: what `version` prints and what files and heartbeats carry. */
export const versionText = `${version.version} (${version.commit})`;

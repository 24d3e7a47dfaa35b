import { join } from "node:path";
import { describeError } from "../../common/errors.ts";
import type {
  ArchiveDestination,
  ConnectionCheck,
  PutOptions,
  PutRequest,
  PutResult,
} from "./archive-destination.ts";
import type { ManagedMount } from "./managed-mount.ts";
import { PathDestination } from "./path-destination.ts";

/** An archive on a file system that livecam mounts when it is needed, and takes off at the end. */
export class MountedDestination implements ArchiveDestination {
  readonly #mount: ManagedMount;
  readonly #path: PathDestination;

  /** `path`: root of the archive within what is mounted. */
  constructor(options: { mount: ManagedMount; path: string }) {
    this.#mount = options.mount;
    this.#path = new PathDestination({ path: join(options.mount.folder, options.path) });
  }

  async check(): Promise<ConnectionCheck> {
    try {
      await this.#mount.ensure();
    } catch (error) {
      return { ok: false, reason: describeError(error) };
    }
    return this.#path.check();
  }

  async put(request: PutRequest, options?: PutOptions): Promise<PutResult> {
    await this.#mount.ensure();
    return this.#path.put(request, options);
  }

  async tryWriting(expectedArchiveId: string | undefined): Promise<void> {
    await this.#mount.ensure();
    await this.#path.tryWriting(expectedArchiveId);
  }

  /** Repeatable. Throws `io`. */
  close(): Promise<void> {
    return this.#mount.unmount();
  }
}

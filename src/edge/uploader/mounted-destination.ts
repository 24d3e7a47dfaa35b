import { join } from "node:path";
import { describeError } from "../../common/errors.ts";
import type {
  ArchiveDestination,
  ConnectionCheck,
  PutOptions,
  PutRequest,
  PutResult,
} from "./archive-destination.ts";
import { isStale, type ManagedMount } from "./managed-mount.ts";
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
      return await this.#use(() => this.#path.look());
    } catch (error) {
      return { ok: false, reason: describeError(error) };
    }
  }

  put(request: PutRequest, options?: PutOptions): Promise<PutResult> {
    return this.#use(() => this.#path.put(request, options));
  }

  tryWriting(expectedArchiveId: string | undefined): Promise<void> {
    return this.#use(() => this.#path.tryWriting(expectedArchiveId));
  }

  async #use<T>(act: () => Promise<T>): Promise<T> {
    await this.#mount.ensure();
    try {
      return await act();
    } catch (error) {
      if (!isStale(error)) throw error;
      await this.#mount.renew();
      return act();
    }
  }

  /** Repeatable. Throws `io`. */
  close(): Promise<void> {
    return this.#mount.unmount();
  }
}

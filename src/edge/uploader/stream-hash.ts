import { AppError } from "../../common/errors.ts";
import { startThread, type Thread } from "../../common/thread.ts";

/** SHA-256 of bytes that are given piece by piece, here or on another core. */
export interface StreamHash extends Disposable {
  /** Resolves when the bytes are used; until then they must stay as they are. */
  update(bytes: Uint8Array): Promise<void>;
  digest(): Promise<string>;
}

export class InlineHash implements StreamHash {
  readonly #hasher = new Bun.CryptoHasher("sha256");

  async update(bytes: Uint8Array): Promise<void> {
    this.#hasher.update(bytes);
  }

  async digest(): Promise<string> {
    return this.#hasher.digest("hex");
  }

  [Symbol.dispose](): void {}
}

/** One answer per message, in order. */
const code = `
const hasher = new Bun.CryptoHasher("sha256");
onmessage = ({ data }) => {
  if (data === "digest") return postMessage(hasher.digest("hex"));
  hasher.update(data);
  postMessage("");
};`;

/** Views of a `SharedArrayBuffer` are hashed where they lie; anything else is copied to the thread. */
export class ThreadHash implements StreamHash {
  readonly #thread: Thread;
  readonly #waiting: { resolve(answer: string): void; reject(error: Error): void }[] = [];
  #failure: Error | undefined;

  constructor() {
    this.#thread = startThread({
      code,
      onMessage: (message) => this.#waiting.shift()?.resolve(String(message)),
      onError: (cause) => {
        this.#failure = new AppError("internal", "the hashing thread failed", { cause });
        for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
      },
    });
  }

  async update(bytes: Uint8Array): Promise<void> {
    await this.#ask(bytes);
  }

  digest(): Promise<string> {
    return this.#ask("digest");
  }

  [Symbol.dispose](): void {
    this.#thread[Symbol.dispose]();
  }

  #ask(message: Uint8Array | "digest"): Promise<string> {
    if (this.#failure) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#waiting.push({ resolve, reject });
    this.#thread.post(message);
    return promise;
  }
}

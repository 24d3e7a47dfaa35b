import { AppError } from "../../common/errors.ts";
import type { ByteRange } from "../http/range.ts";
import type { EdgeFile } from "./edge-footage.ts";

export interface EdgeBodyOptions {
  file: EdgeFile;
  range: ByteRange;
  /** Up to a part of the range, from its start on; at least a byte. */
  read: (file: EdgeFile, range: ByteRange, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>;
  /** Of the request: a client that is gone. */
  signal: AbortSignal;
  /** An answer that has begun cannot say why it ends early. */
  onError(error: unknown): void;
}

/** The bytes of segments that are on their nodes, to as many as may watch at once. */
export class EdgeBodies {
  readonly #most: number;
  readonly #mostOfNode: number;
  readonly #sending = new Map<string, number>();
  #all = 0;

  constructor({ most = 200, mostOfNode = 24 }: { most?: number; mostOfNode?: number } = {}) {
    this.#most = most;
    this.#mostOfNode = mostOfNode;
  }

  /** Answers that are being sent. */
  get size(): number {
    return this.#all;
  }

  /**
   * As the client takes them, one part ahead. A client that goes has the node asked for nothing more; a node that goes
   * ends the answer before its end, so that the client knows that it is not whole. Throws what reading the first part
   * throws, and `unavailable` when so many watch that one more would make all of them wait.
   */
  async open(options: EdgeBodyOptions): Promise<Blob | ReadableStream<Uint8Array>> {
    const { file, range, read, onError } = options;
    if (this.#all >= this.#most || (this.#sending.get(file.nodeId) ?? 0) >= this.#mostOfNode) {
      throw new AppError(
        "unavailable",
        `too many watch what is on node ${file.nodeId}; try again in a moment`,
      );
    }
    const left = new AbortController();
    const gone = AbortSignal.any([left.signal, options.signal]);
    const end = this.#begin(file.nodeId);
    gone.addEventListener("abort", end, { once: true });
    try {
      const first = await read(file, range, gone);
      let at = range.start + first.length;
      if (at >= range.end) {
        end();
        return new Blob([first]);
      }
      const readOn = () => {
        const reading = read(file, { start: at, end: range.end }, gone);
        // Its error is met when it is waited for, or nobody waits for it any more.
        reading.catch(() => undefined);
        return reading;
      };
      let ahead = readOn();
      let isFirst = true;
      const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
        if (isFirst) {
          isFirst = false;
          controller.enqueue(first);
          return;
        }
        try {
          const bytes = await ahead;
          at += bytes.length;
          if (at < range.end) ahead = readOn();
          controller.enqueue(bytes);
        } catch (error) {
          end();
          if (!gone.aborted) onError(error);
          throw error;
        }
        if (at < range.end) return;
        end();
        controller.close();
      };
      // Nothing is asked for before the client has taken what is there: Bun pulls as the connection drains.
      return new ReadableStream({ pull, cancel: () => left.abort() }, { highWaterMark: 0 });
    } catch (error) {
      end();
      throw error;
    }
  }

  /** Counts one more; the answer counts it out, once. */
  #begin(nodeId: string): () => void {
    const count = (by: number) => {
      this.#all += by;
      const sending = (this.#sending.get(nodeId) ?? 0) + by;
      if (sending > 0) this.#sending.set(nodeId, sending);
      else this.#sending.delete(nodeId);
    };
    count(1);
    let isOver = false;
    return () => {
      if (!isOver) count(-1);
      isOver = true;
    };
  }
}

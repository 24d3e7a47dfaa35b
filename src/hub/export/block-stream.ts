/**
 * A body of blocks, each sent when the connection has taken the one before: a client that does not read has two of them
 * in memory. Bun copies what is written before `write` returns, so `next` may use a block again.
 */
export function createBlockStream(options: {
  /** Undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Of the request: when it leaves before the answer began, nobody says that it is over. */
  client: AbortSignal;
  /** An answer that has begun cannot say why it ends early; not for a client that has left. */
  onError(error: unknown): void;
  /** Whatever way it ends, once. */
  onEnd(): Promise<void>;
}): ReadableStream<Uint8Array> {
  const { next, client, onError, onEnd } = options;
  let hasLeft = false;
  let hasEnded = false;
  const end = async () => {
    if (hasEnded) return;
    hasEnded = true;
    client.removeEventListener("abort", leave);
    await onEnd();
  };
  const leave = () => {
    hasLeft = true;
    void end();
  };
  client.addEventListener("abort", leave);
  if (client.aborted) leave();
  const source: Bun.DirectUnderlyingSource<Uint8Array> = {
    // Half the work of a plain stream.
    type: "direct",
    async pull(controller) {
      try {
        for (;;) {
          const bytes = await next();
          if (bytes === undefined || hasLeft) break;
          controller.write(bytes);
          // Without `true` it waits for nobody, and all of it waits in memory for a client that does not read.
          await controller.flush(true);
        }
        controller.end();
      } catch (error) {
        // Its files were closed under the read.
        if (hasLeft) return;
        onError(error);
        throw error;
      } finally {
        await end();
      }
    },
    cancel: leave,
  };
  return new ReadableStream(source as unknown as Bun.UnderlyingSource<Uint8Array>);
}

/** Smaller ones Bun puts into one packet with their head by itself. */
const smallBytes = 15 * 1024;

/** Bytes whose memory is soon used again. */
export interface BorrowedBytes {
  readonly length: number;
  /** Good until the caller's next `await`. Once only. */
  take(): Uint8Array;
}

/**
 * Bytes in memory as the body of an answer that had to wait for something. Bun 1.4.5 sends the head of such an answer in
 * some seventy writes, a name or a value each, and only the body in one; a direct stream goes out with its head. All of it
 * stays below the high water mark, so that Bun knows the length when it begins and sends it.
 */
export function wholeBody(body: Uint8Array | BorrowedBytes): Blob | ReadableStream<Uint8Array> {
  const bytes = body instanceof Uint8Array ? { length: body.length, take: () => body } : body;
  if (bytes.length < smallBytes) return new Blob([bytes.take() as Uint8Array<ArrayBuffer>]);
  // Bun copies what is written, and a slow client may take a while: not both of them until then.
  let unsent: BorrowedBytes | undefined = bytes;
  const source: Bun.DirectUnderlyingSource<Uint8Array> = {
    type: "direct",
    pull(controller) {
      if (unsent !== undefined) controller.write(unsent.take());
      unsent = undefined;
      controller.end();
    },
  };
  return new ReadableStream(source as unknown as Bun.UnderlyingSource<Uint8Array>, {
    highWaterMark: bytes.length + 1,
  });
}

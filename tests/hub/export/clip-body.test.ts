import { expect, test } from "bun:test";
import { connect } from "node:net";
import type { FilePart } from "../../../src/hub/export/clip.ts";
import { createClipBody } from "../../../src/hub/export/clip-body.ts";
import type { MediaSource } from "../../../src/hub/playback/media-source.ts";

test("a client that never reads has no more read for it than a connection holds", async () => {
  const sizeBytes = 100_000_000;
  let readBytes = 0;
  const media = {
    sizeOf: async () => sizeBytes,
    open: async () => ({
      async readInto(target: Uint8Array) {
        readBytes += target.length;
      },
      [Symbol.asyncDispose]: async () => undefined,
    }),
  } as unknown as MediaSource;
  const part: FilePart = {
    ...{ kind: "file", videoId: "v", filePath: "a.mp4", fileSizeBytes: sizeBytes },
    ...{ start: 0, end: sizeBytes },
  };
  await using stack = new AsyncDisposableStack();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async () =>
      new Response(
        await createClipBody({
          ...{ media, parts: [part, part], range: { start: 0, end: 2 * sizeBytes } },
          client: new AbortController().signal,
          refusal: async () => new Error("refused"),
          onError: () => undefined,
          onEnd: () => undefined,
        }),
      ),
  });
  stack.defer(() => server.stop(true));
  const socket = connect(Number(server.port), "127.0.0.1");
  stack.defer(() => void socket.destroy());
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  let before = 0;
  while (readBytes === 0 || readBytes !== before) {
    before = readBytes;
    await Bun.sleep(200);
  }
  expect(readBytes).toBeLessThan(sizeBytes / 2);
});

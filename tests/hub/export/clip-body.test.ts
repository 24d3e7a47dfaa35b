import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { createClipBody } from "../../../src/hub/export/clip-body.ts";

test("a client that does not read holds back what is read for it", async () => {
  const mebibyte = 1024 * 1024;
  let readBytes = 0;
  const media = {
    open: async () => ({
      async readInto(target: Uint8Array) {
        readBytes += target.length;
      },
      [Symbol.asyncDispose]: async () => undefined,
    }),
    body: () => Promise.reject(new Error("not of one file")),
  };
  const part = { kind: "file", filePath: "a", videoId: "a", start: 0, end: 200 * mebibyte } as const;
  const parts = [{ kind: "bytes", bytes: new Uint8Array(1) } as const, part];
  const range = { start: 0, end: 200 * mebibyte };
  const options = { media, parts, range, onError: () => undefined, onEnd: () => undefined };
  using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async () => new Response(await createClipBody(options)),
  });
  const { port } = server;
  const socket = connect(port ?? 0, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  await once(socket, "data");
  socket.pause();
  // Until no more is read for a while.
  for (let before = -1, quiet = 0; quiet < 10; quiet = before === readBytes ? quiet + 1 : 0) {
    before = readBytes;
    await Bun.sleep(20);
  }
  expect(readBytes).toBeLessThan(50 * mebibyte);
  socket.destroy();
});

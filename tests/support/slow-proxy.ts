import { connect, createServer, type Socket } from "node:net";
import { Transform } from "node:stream";
import { sleep } from "../../src/common/clock.ts";

/** A TCP proxy on a port of its own that lets so many bytes per second through to `port`, and as many back. */
export async function startSlowProxy(
  port: number,
  bytesPerSecond: number,
): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => [near, far].map((each) => each.destroy()));
    }
    near.pipe(throttle(bytesPerSecond)).pipe(far);
    far.pipe(throttle(bytesPerSecond)).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the proxy has no port");
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function throttle(bytesPerSecond: number): Transform {
  return new Transform({
    highWaterMark: 64 * 1024,
    async transform(chunk: Buffer, _encoding, done) {
      await sleep((chunk.length * 1000) / bytesPerSecond);
      done(null, chunk);
    },
  });
}

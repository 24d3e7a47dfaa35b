import { afterAll, expect, test } from "bun:test";
import { connect } from "node:net";

/** In a thread of its own: in ours all it sends would be there before anything is read. */
const worker = new Worker(new URL("./whole-body-server.ts", import.meta.url));
afterAll(() => worker.terminate());

/** Its port, and how many answers are under way. */
function askServer(): Promise<{ port: number; pending: number }> {
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage("");
  });
}

/** What comes, in the pieces in which it comes. */
function receive(port: number, path: string, pauseMs = 0): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () =>
      socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
    );
    socket.on("data", (piece: Buffer) => {
      pieces.push(piece);
      if (pauseMs === 0) return;
      socket.pause();
      setTimeout(() => socket.resume(), pauseMs);
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(pieces));
  });
}

test.each([0, 1, 15_359, 15_360, 100_000, 2_000_000])(
  "%p bytes come with their length, behind a head in one piece",
  async (length) => {
    const { port } = await askServer();
    for (let i = 0; i < 5; i++) {
      const [first = Buffer.alloc(0), ...more] = await receive(port, `/${length}`);
      const headEnd = first.indexOf("\r\n\r\n");
      expect(headEnd).toBeGreaterThan(0);
      const head = first.subarray(0, headEnd).toString("latin1").toLowerCase();
      expect(head).toContain(`\r\ncontent-length: ${length}`);
      expect(head).not.toContain("transfer-encoding");
      expect(head).toContain("\r\ncontent-type: image/jpeg");
      const body = Buffer.concat([first.subarray(headEnd + 4), ...more]);
      expect(Bun.hash(body)).toBe(Bun.hash(Uint8Array.from({ length }, (_, n) => n % 251)));
    }
  },
);

test("a client that takes a little at a time gets all of it, and one that leaves takes nothing with it", async () => {
  const { port } = await askServer();
  const [slow] = await Promise.all([
    receive(port, "/3000000", 2),
    ...Array.from({ length: 20 }, async () => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write("GET /3000000 HTTP/1.1\r\nhost: x\r\n\r\n");
      });
      socket.once("data", () => socket.destroy());
      await new Promise((resolve) => socket.on("close", resolve));
    }),
  ]);
  const answer = Buffer.concat(slow);
  expect(answer.length - answer.indexOf("\r\n\r\n") - 4).toBe(3_000_000);
  while ((await askServer()).pending > 0) await Bun.sleep(5);
  const again = await fetch(`http://127.0.0.1:${port}/20000`);
  expect((await again.bytes()).length).toBe(20_000);
});

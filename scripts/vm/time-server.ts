const port = 123;
/** From 1900 to 1970, RFC 5905. */
const epochSeconds = 2_208_988_800;

/** SNTP (RFC 4330) on the loopback of this machine, with its time. Needs root, and the port. */
export async function startTimeServer(): Promise<AsyncDisposable> {
  const socket = await Bun.udpSocket({
    hostname: "127.0.0.1",
    port,
    socket: {
      data(self, request, fromPort, fromAddress) {
        const answer = Buffer.alloc(48);
        answer.set([0x24, 1, request[2] ?? 6, 0xec]);
        answer.write("LOCL", 12, "latin1");
        request.copy(answer, 24, 40, 48);
        for (const offset of [16, 32, 40]) writeTime(answer, offset, Date.now());
        self.send(answer, fromPort, fromAddress);
      },
    },
  });
  return { [Symbol.asyncDispose]: async () => socket.close() };
}

function writeTime(into: Buffer, offset: number, timeMs: number): void {
  into.writeUInt32BE(Math.floor(timeMs / 1000) + epochSeconds, offset);
  into.writeUInt32BE(Math.floor(((timeMs % 1000) / 1000) * 2 ** 32), offset + 4);
}

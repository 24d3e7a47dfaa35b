import { connect } from "node:net";

/** Sends bytes as they are and answers with everything the server sends until it closes or `doneWhen` holds. */
export function sendRaw(
  url: string,
  text: string | Uint8Array,
  doneWhen: (received: string) => boolean = () => false,
): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    const finish = () => {
      socket.destroy();
      resolve(received);
    };
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      if (doneWhen(received)) finish();
    });
    socket.on("end", finish);
    socket.on("close", finish);
    socket.on("error", (error) => (received === "" ? reject(error) : finish()));
  });
}

export const statusOf = (response: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1] ?? 0);

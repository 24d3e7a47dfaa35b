import { Wakeup } from "../../src/common/wakeup.ts";

/** Somebody who watches a camera at the hub. */
export class LiveClient {
  readonly texts: Record<string, unknown>[] = [];
  /** Init segments and fragments, in order. */
  readonly parts: Uint8Array<ArrayBuffer>[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly #webSocket: WebSocket;
  readonly #news = new Wakeup();

  private constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    webSocket.binaryType = "arraybuffer";
    webSocket.onmessage = ({ data }) => {
      if (typeof data === "string") this.texts.push(JSON.parse(data));
      else this.parts.push(new Uint8Array(data as ArrayBuffer));
      this.#news.wake();
    };
    webSocket.onclose = ({ code, reason }) => {
      this.closed = { code, reason };
      this.#news.wake();
    };
  }

  /** Throws with the status of a refusal. */
  static async open(hubUrl: string, cameraId: string, headers: Record<string, string>): Promise<LiveClient> {
    const url = `${hubUrl.replace(/^http/, "ws")}/api/cameras/${cameraId}/live`;
    const webSocket = new WebSocket(url, { headers });
    const client = new LiveClient(webSocket);
    await new Promise<void>((resolve, reject) => {
      webSocket.onopen = () => resolve();
      webSocket.onerror = (event) => {
        const status = /status code: (\d+)/.exec((event as ErrorEvent).message)?.[1];
        reject(new Error(`refused: ${status ?? (event as ErrorEvent).message}`));
      };
    });
    return client;
  }

  send(text: string): void {
    this.#webSocket.send(text);
  }

  /** Reads nothing more: what comes stays in the kernel, and then at the hub. */
  stopReading(): void {
    this.#webSocket.pause();
  }

  readOn(): void {
    this.#webSocket.resume();
  }

  close(): void {
    this.#webSocket.close();
  }

  async until<T>(look: () => T | undefined, what: string): Promise<T> {
    const deadline = AbortSignal.timeout(50_000);
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (deadline.aborted) throw new Error(`waited for ${what}; heard ${JSON.stringify(this.texts)}`);
      await this.#news.wait(deadline, 10);
    }
  }
}

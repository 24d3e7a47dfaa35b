import { Wakeup } from "../../src/common/wakeup.ts";

type Json = Record<string, unknown>;

/** The node's end of a link, without a node: says what a test tells it to, and keeps what it hears. */
export class LinkedNode {
  readonly heard: Json[] = [];
  closed: { code: number; reason: string } | undefined;
  /** Answers to requests, by method; what is not here is not answered. */
  readonly answers = new Map<string, (params: Json, id: string) => Json | Uint8Array | undefined>();
  readonly #webSocket: WebSocket;
  readonly #news = new Wakeup();

  private constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    webSocket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as Json;
      this.heard.push(message);
      if (message.type === "request") this.#answer(message);
      this.#news.wake();
    };
    webSocket.onclose = ({ code, reason }) => {
      this.closed = { code, reason };
      this.#news.wake();
    };
  }

  /** Resolves when the connection is open. Throws with the status of a refusal. */
  static async open(
    hubUrl: string,
    nodeId: string,
    key: string,
    headers: Record<string, string> = {},
  ): Promise<LinkedNode> {
    const webSocket = new WebSocket(`${hubUrl.replace(/^http/, "ws")}/api/nodes/${nodeId}/link`, {
      headers: { authorization: `Bearer ${key}`, ...headers },
    });
    const node = new LinkedNode(webSocket);
    await new Promise<void>((resolve, reject) => {
      webSocket.onopen = () => resolve();
      webSocket.onerror = (event) => {
        const status = /status code: (\d+)/.exec((event as ErrorEvent).message)?.[1];
        reject(new Error(`refused: ${status ?? (event as ErrorEvent).message}`));
      };
    });
    return node;
  }

  /** Opened, said hello, welcome. */
  static async link(hubUrl: string, nodeId: string, key: string, hello: Json = {}): Promise<LinkedNode> {
    const node = await LinkedNode.open(hubUrl, nodeId, key);
    node.send(helloOf(nodeId, hello));
    await node.hears("welcome");
    return node;
  }

  send(message: Json | string | Uint8Array<ArrayBuffer>): void {
    this.#webSocket.send(
      typeof message === "string" || message instanceof Uint8Array ? message : JSON.stringify(message),
    );
  }

  close(): void {
    this.#webSocket.close();
  }

  /** The first message of that type that has come or comes. */
  async hears(type: string): Promise<Json> {
    return this.#until(() => this.heard.find((message) => message.type === type), `a ${type}`);
  }

  async isClosed(): Promise<{ code: number; reason: string }> {
    return this.#until(() => this.closed, "the end of the connection");
  }

  async #until<T>(look: () => T | undefined, what: string): Promise<T> {
    const deadline = AbortSignal.timeout(50_000);
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (deadline.aborted || this.closed) {
        throw new Error(
          `waited for ${what}; closed: ${JSON.stringify(this.closed)}, heard: ${JSON.stringify(this.heard)}`,
        );
      }
      await this.#news.wait(deadline);
    }
  }

  #answer({ id, method, params }: Json): void {
    const answer = this.answers.get(String(method))?.((params ?? {}) as Json, String(id));
    if (answer instanceof Uint8Array) this.#webSocket.send(answer);
    else if (answer) this.send({ type: "response", id, ...answer });
  }
}

export function helloOf(nodeId: string, more: Json = {}): Json {
  const methods = [
    "status",
    "pause",
    "resume",
    "configure",
    "snapshot",
    "uploads",
    "cancel_upload",
    "retry_upload",
  ];
  return {
    type: "hello",
    link_version: 1,
    node_id: nodeId,
    software_version: "0.1.0",
    config_version: "c1",
    methods: [...methods, "check_archive", "get_config"],
    ...more,
  };
}

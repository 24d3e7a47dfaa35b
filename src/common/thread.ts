export interface Thread extends Disposable {
  post(message: unknown): void;
}

/**
 * Runs a script on a thread of this process, for work that needs a core of its own; the one way this codebase starts
 * one. `code` is plain JavaScript that stands for itself, so a compiled binary needs no further file: it receives by
 * `onmessage` and answers by `postMessage`.
 */
export function startThread(options: {
  code: string;
  onMessage: (message: unknown) => void;
  onError: (error: Error) => void;
}): Thread {
  const url = URL.createObjectURL(new Blob([options.code], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onmessage = (event) => options.onMessage(event.data);
  worker.onerror = (event) => options.onError(new Error(event.message));
  return {
    post: (message) => worker.postMessage(message),
    [Symbol.dispose]() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

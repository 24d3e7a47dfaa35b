export interface Thread extends Disposable {
  post(message: unknown): void;
  /** Whether the process stays for the thread's sake. It does not until it is asked to. */
  keepProcess(keep: boolean): void;
}

/**
 * Runs a function on a thread of this process, for work that needs a core of its own; the one way this codebase starts
 * one. `main` is taken by its text, so a compiled program needs no further file: it must use nothing but what the
 * runtime knows everywhere. It receives by `onmessage` and answers by `postMessage`.
 */
export function startThread(options: {
  main: () => void;
  onMessage: (message: unknown) => void;
  /** The thread does nothing any more. */
  onError: (error: Error) => void;
}): Thread {
  const url = URL.createObjectURL(new Blob([`(${options.main})()`], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.unref();
  worker.onmessage = (event) => options.onMessage(event.data);
  worker.onerror = (event) => options.onError(new Error(event.message));
  return {
    post: (message) => worker.postMessage(message),
    keepProcess: (keep) => (keep ? worker.ref() : worker.unref()),
    [Symbol.dispose]() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

const noteMs = 6_000;

/** The line under the picture: what there is to say of it now, one thing at a time. */
export class PlayerNote {
  readonly #element: HTMLElement;
  /** The way to the picture as it is now. */
  readonly #now: HTMLElement;
  readonly #unanswered: string;
  #clearing: ReturnType<typeof setTimeout> | undefined;

  constructor(element: HTMLElement, now: HTMLElement, unanswered: string) {
    this.#element = element;
    this.#now = now;
    this.#unanswered = unanswered;
  }

  /** Until there is something else to say. */
  say(text: string): void {
    clearTimeout(this.#clearing);
    if (this.#element.textContent !== text) this.#element.textContent = text;
  }

  /** For a moment. */
  note(text: string): void {
    this.say(text);
    this.#clearing = setTimeout(() => this.#element.replaceChildren(), noteMs);
  }

  /** What it waits for, at the newest; nothing: it does not wait. */
  sayWaiting(text: string): void {
    this.#now.hidden = text === "";
    this.say(text);
  }

  /** It stands, as the hub does not answer. */
  sayUnanswered(): void {
    this.say(this.#unanswered);
  }

  sayAnswered(): void {
    if (this.#element.textContent === this.#unanswered) this.say("");
  }
}

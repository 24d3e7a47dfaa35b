export interface GestureHandlers {
  /** `eventTime`: when the finger was lifted, of `performance.now()`. */
  onTap(x: number, eventTime: number): void;
  onDrag(byPx: number): void;
  /** Below 1: closer. */
  onZoom(factor: number, x: number): void;
  /** Nothing when the mouse has left. */
  onHover(x: number | undefined, y: number | undefined): void;
}

/** Moved by less, a finger has not moved. */
const tapPx = 5;

/** Mouse, pen and fingers over a line of time: tap, drag, wheel, pinch. */
export class TimelineGestures {
  readonly #surface: HTMLElement;
  readonly #handlers: GestureHandlers;
  /** Where each finger is, from the left of the surface. */
  readonly #fingers = new Map<number, number>();
  #startX = 0;
  #isTap = false;

  constructor(surface: HTMLElement, handlers: GestureHandlers) {
    this.#surface = surface;
    this.#handlers = handlers;
    surface.addEventListener("pointerdown", (event) => this.#down(event));
    surface.addEventListener("pointermove", (event) => this.#move(event));
    surface.addEventListener("pointerup", (event) => this.#up(event));
    surface.addEventListener("pointercancel", ({ pointerId }) => {
      this.#fingers.delete(pointerId);
      this.#isTap = false;
    });
    surface.addEventListener("pointerleave", () => handlers.onHover(undefined, undefined));
    surface.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  #xOf({ clientX }: MouseEvent): number {
    return clientX - this.#surface.getBoundingClientRect().left;
  }

  #yOf({ clientY }: MouseEvent): number {
    return clientY - this.#surface.getBoundingClientRect().top;
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#surface.setPointerCapture(event.pointerId);
    this.#isTap = this.#fingers.size === 0;
    this.#startX = this.#xOf(event);
    this.#fingers.set(event.pointerId, this.#startX);
  }

  #move(event: PointerEvent): void {
    const x = this.#xOf(event);
    const before = this.#fingers.get(event.pointerId);
    if (before === undefined) {
      if (event.pointerType === "mouse") this.#handlers.onHover(x, this.#yOf(event));
      return;
    }
    if (this.#isTap && Math.abs(x - this.#startX) < tapPx) return;
    this.#isTap = false;
    this.#handlers.onHover(undefined, undefined);
    const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.#fingers.set(event.pointerId, x);
    if (other === undefined) {
      this.#handlers.onDrag(x - before);
      return;
    }
    const [was, is] = [Math.abs(before - other), Math.abs(x - other)];
    if (was > 1 && is > 1) this.#handlers.onZoom(was / is, (x + other) / 2);
    this.#handlers.onDrag((x - before) / 2);
  }

  #up(event: PointerEvent): void {
    const isLast = this.#fingers.delete(event.pointerId) && this.#fingers.size === 0;
    if (isLast && this.#isTap) this.#handlers.onTap(this.#xOf(event), event.timeStamp);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const x = this.#xOf(event);
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#handlers.onDrag(-(event.deltaX || event.deltaY) * unit);
    } else {
      this.#handlers.onZoom(Math.exp(event.deltaY * unit * 0.0015), x);
    }
    // Another moment is under the mouse.
    this.#handlers.onHover(x, this.#yOf(event));
  }
}

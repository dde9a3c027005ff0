/** Draws in the browser's next frame, once however often that was asked for. */
export class FrameLoop {
  private readonly draw: (time: number) => void;
  private frame = 0;

  /** `draw` gets the frame's time in milliseconds, as `performance.now()` has it. */
  constructor(draw: (time: number) => void) {
    this.draw = draw;
  }

  request(): void {
    if (this.frame !== 0) return;
    this.frame = requestAnimationFrame((time) => {
      this.frame = 0;
      this.draw(time);
    });
  }
}

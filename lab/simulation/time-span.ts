/** From one moment to another. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

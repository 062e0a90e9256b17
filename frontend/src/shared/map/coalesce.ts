/**
 * Gathers what arrives in bursts: the first thing runs at once, what follows within the interval runs together at its end.
 * So one report is on the map immediately and a thousand cost a few refreshes a second.
 */
export class Coalescer<T> {
  private waiting: T[] = []
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly intervalMs: number,
    private readonly run: (batch: T[]) => void,
  ) {}

  add(...things: T[]): void {
    this.waiting.push(...things)
    if (this.timer === undefined) this.flush()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    this.waiting = []
  }

  private flush(): void {
    if (this.waiting.length === 0) {
      this.timer = undefined
      return
    }
    const batch = this.waiting
    this.waiting = []
    this.timer = setTimeout(() => this.flush(), this.intervalMs)
    this.run(batch)
  }
}

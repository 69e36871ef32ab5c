import type { Run } from './run.ts'

/** Predictions that wait for a worker, in order. Each one is told its place. */
export class WaitingLine {
  private readonly runs: Run[] = []

  get length(): number {
    return this.runs.length
  }

  join(run: Run): void {
    this.runs.push(run)
    run.wait(this.runs.length)
  }

  /** Puts a prediction back in front that was taken and not begun. */
  joinInFront(run: Run): void {
    this.runs.unshift(run)
    this.tellPlaces()
  }

  /** The first one of which this is true. */
  find(is: (run: Run) => boolean): Run | undefined {
    return this.runs.find(is)
  }

  /** Removes a prediction. False: it does not wait here. */
  remove(run: Run): boolean {
    const at = this.runs.indexOf(run)
    if (at < 0) return false
    this.runs.splice(at, 1)
    this.tellPlaces(at)
    return true
  }

  takeAll(): Run[] {
    return this.runs.splice(0)
  }

  /** `from`: those before it have the places that they had. */
  private tellPlaces(from = 0): void {
    for (let index = from; index < this.runs.length; index += 1) this.runs[index]?.wait(index + 1)
  }
}

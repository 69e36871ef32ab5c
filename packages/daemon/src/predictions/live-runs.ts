import type { PredictionEvent } from '@origami/protocol/demo'
import { applyPart } from '@origami/protocol/demo'
import { Notice } from '@origami/serving'

/** Events that carry a number: those of the run itself. */
export type RunEvent = Exclude<PredictionEvent, { type: 'queue' }>

/** What a running prediction told so far, by arrival. Never stored: after a crash the instance tells it again. */
export class LiveRuns {
  private readonly runs = new Map<number, LiveRun>()

  open(arrival: number): LiveRun {
    const run = new LiveRun()
    this.runs.set(arrival, run)
    return run
  }

  of(arrival: number): LiveRun | undefined {
    return this.runs.get(arrival)
  }

  close(arrival: number): void {
    const run = this.runs.get(arrival)
    this.runs.delete(arrival)
    run?.end()
  }
}

export class LiveRun {
  readonly events: RunEvent[] = []
  readonly changed = new Notice()
  output: Record<string, unknown> = {}
  logs = ''
  ended = false
  /** Asks the instance to cancel it; there once the instance has it. */
  cancel: (() => Promise<boolean>) | undefined

  add(event: RunEvent): void {
    this.events.push(event)
    if (event.type === 'output') this.output = applyPart(this.output, event.data)
    if (event.type === 'log') this.logs = (this.logs + event.data.data).slice(-64 * 1024)
    this.changed.notify()
  }

  end(): void {
    this.ended = true
    this.changed.notify()
  }
}

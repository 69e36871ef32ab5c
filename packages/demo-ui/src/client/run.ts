import { applyPart, type DemoSchema, type Input, outputFields, type PredictionSnapshot } from '@origami/protocol/demo'
import type { FollowEvent } from './follow.ts'

type Phase = 'sending' | 'waiting' | 'running' | 'succeeded' | 'failed' | 'canceled'

/** One press of Run as the page knows it. */
export interface DemoRun {
  /** The page's own name for the run. `id` comes with the server's answer. */
  readonly key: string
  readonly id: string | undefined
  readonly phase: Phase
  readonly input: Input
  readonly queue: PredictionSnapshot['queue']
  readonly progress: { done: number; total: number | null; note: string | null } | null
  /** The output so far, by field name. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly log: string
  readonly error: string | null
  readonly reason: PredictionSnapshot['reason'] | 'gone' | 'refused'
  /** When it began to run, by this page's clock. */
  readonly since: number | undefined
  /** How long it ran. Undefined before it ended. */
  readonly seconds: number | undefined
  /** False while the server does not answer. */
  readonly lineUp: boolean
}

const logLimit = 262_144

/** A run that is being sent to the server. */
export function sendingRun(key: string, input: Input): DemoRun {
  return {
    key,
    id: undefined,
    phase: 'sending',
    input,
    queue: null,
    progress: null,
    fields: {},
    log: '',
    error: null,
    reason: null,
    since: undefined,
    seconds: undefined,
    lineUp: true,
  }
}

export const isRunActive = ({ phase }: DemoRun): boolean =>
  phase === 'sending' || phase === 'waiting' || phase === 'running'

/** The run after an event. `now` is the time by the page's clock. */
export function afterEvent(run: DemoRun, event: FollowEvent, schema: DemoSchema, now: number): DemoRun {
  switch (event.type) {
    case 'queue':
      return run.phase === 'running' ? run : { ...run, phase: 'waiting', queue: event.data }
    case 'start':
      return { ...run, phase: 'running', queue: null, since: run.since ?? now }
    case 'progress':
      return { ...run, progress: event.data }
    case 'log':
      return { ...run, log: (run.log + event.data.data).slice(-logLimit) }
    case 'output':
      return { ...run, fields: applyPart(run.fields, event.data) }
    case 'completed':
    case 'snapshot':
      return withSnapshot(run, event.data, schema, now)
    case 'line':
      return { ...run, lineUp: event.data.up }
    case 'gone':
      return { ...run, phase: 'failed', error: 'This prediction is not kept any more.', reason: 'gone' }
  }
}

/** The run in the state of a snapshot. */
export function withSnapshot(run: DemoRun, snapshot: PredictionSnapshot, schema: DemoSchema, now: number): DemoRun {
  const phase =
    snapshot.status === 'starting' ? 'waiting' : snapshot.status === 'processing' ? 'running' : snapshot.status
  const fields = (snapshot.output ?? null) === null ? {} : outputFields(schema, snapshot.output)
  const started = snapshot.started_at === null ? undefined : Math.min(now, Date.parse(snapshot.started_at))
  return {
    ...run,
    id: snapshot.id,
    phase,
    input: snapshot.input,
    queue: phase === 'waiting' ? snapshot.queue : null,
    progress: phase === 'running' ? run.progress : null,
    fields: phase === 'succeeded' || Object.keys(fields).length > 0 ? fields : run.fields,
    log: snapshot.logs.length > run.log.length ? snapshot.logs : run.log,
    error: snapshot.error,
    reason: snapshot.reason,
    since: run.since ?? started,
    seconds:
      snapshot.metrics.predict_time ??
      (phase === 'running' || run.since === undefined ? undefined : (now - run.since) / 1000),
    lineUp: true,
  }
}

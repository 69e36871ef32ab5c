import { Refusal } from '@origami/protocol/client'
import { eventTypes, type PredictionEvent, type PredictionSnapshot } from '@origami/protocol/demo'

/**
 * What a page is told about a prediction: its events, its snapshots when there is no stream, and whether the connection
 * works.
 */
export type FollowEvent =
  | PredictionEvent
  | { type: 'snapshot'; data: PredictionSnapshot }
  | { type: 'line'; data: { up: boolean } }
  | { type: 'gone' }

const pollEveryMs = 1000

/**
 * Follows an event stream, which the browser reopens after a failure, by Last-Event-ID. When the server refuses the
 * stream for good (because a proxy does not allow streams, for example), it polls the prediction each second.
 */
export function followPrediction(
  url: string,
  ask: () => Promise<PredictionSnapshot | undefined>,
  on: (event: FollowEvent) => void,
): () => void {
  const source = new EventSource(url)
  let stopPolling: (() => void) | undefined
  const close = () => {
    source.close()
    stopPolling?.()
  }
  for (const type of eventTypes) {
    source.addEventListener(type, (message) => {
      if (type === 'completed') close()
      on({ type, data: JSON.parse(message.data) } as FollowEvent)
    })
  }
  source.onopen = () => on({ type: 'line', data: { up: true } })
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) stopPolling ??= poll(ask, on)
    else on({ type: 'line', data: { up: false } })
  }
  return close
}

function poll(ask: () => Promise<PredictionSnapshot | undefined>, on: (event: FollowEvent) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  const tell = (event: FollowEvent) => {
    if (!stopped) on(event)
  }
  const once = async () => {
    try {
      const snapshot = await ask()
      tell({ type: 'line', data: { up: true } })
      if (!snapshot) return tell({ type: 'gone' })
      tell({ type: 'snapshot', data: snapshot })
      if (snapshot.completed_at !== null) return
    } catch (error) {
      if (error instanceof Refusal && error.status < 500 && error.status !== 429) return tell({ type: 'gone' })
      tell({ type: 'line', data: { up: false } })
    }
    if (!stopped) timer = setTimeout(once, pollEveryMs)
  }
  void once()
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}

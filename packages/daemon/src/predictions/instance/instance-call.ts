import { setTimeout } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import { Gone, type PredictionId } from '@origami/protocol/demo'
import { type HttpPredictor, type Prediction, ServerFault, Unanswered } from '@origami/serving'

const log = logger('predictions')

const findsAtMost = 3

/**
 * Asks the last known instance of a prediction for it, several times if there is no answer or an HTTP 500. Undefined:
 * the prediction or the instance is not there. Throws ServerFault or Misbehaved.
 */
export async function findAtInstance(
  instance: HttpPredictor,
  id: PredictionId,
  signal: AbortSignal,
): Promise<Prediction | undefined> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await instance.find(id, signal)
    } catch (error) {
      if (signal.aborted) return undefined
      const mayAnswerYet = error instanceof Unanswered || error instanceof ServerFault
      if (mayAnswerYet && attempt < findsAtMost) continue
      if (!(error instanceof Gone)) throw error
      return undefined
    }
}

/**
 * Asks an instance to cancel a prediction that it may have, and again after each pause while it does not answer. Never
 * throws.
 */
export async function cancelAtInstance(
  instance: HttpPredictor,
  id: PredictionId,
  pauses: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  for (const pause of [...pauses, undefined])
    try {
      await (await instance.find(id, signal))?.cancel(signal)
      return
    } catch (error) {
      const nobodyIsThere = error instanceof Gone && !(error instanceof Unanswered)
      if (signal.aborted || nobodyIsThere) return
      if (pause === undefined) return log.error(`prediction ${id} could not be canceled at its instance`, error)
      // An aborted wait ends the loop by its condition.
      await setTimeout(pause, undefined, { signal }).catch(() => undefined)
    }
}

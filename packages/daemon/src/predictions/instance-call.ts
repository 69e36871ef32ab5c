import { setTimeout } from 'node:timers/promises'
import { logger } from '@origami/host/logger'
import { Gone, type PredictionId } from '@origami/protocol/demo'
import { type HttpPredictor, type Prediction, ServerFault, Unanswered } from '@origami/serving'

const log = logger('predictions')

const findsAtMost = 3

/**
 * A prediction where it was last, asked for more than once where nobody answers or the answer is a 500. Undefined: it
 * is not there, or nobody is. Throws ServerFault | Misbehaved.
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
 * Asks an instance to cancel what it may have, after each of the pauses again where it does not answer. Never throws.
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
      // An aborted pause ends the loop at its next turn.
      await setTimeout(pause, undefined, { signal }).catch(() => undefined)
    }
}

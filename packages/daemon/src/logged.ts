import { logger } from '@origami/host/logger'

const log = logger('daemon')

/**
 * Does one of several things, so that its failing does not stop the others: what it throws is logged. False: it threw.
 */
export async function logged(what: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    log.error(what, error)
    return false
  }
}

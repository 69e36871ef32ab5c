import { logger } from '@origami/host/logger'

const log = logger('daemon')

/** Does one of several things and logs what it throws, so that the others go on. False: it threw. */
export async function logged(what: string, work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    log.error(what, error)
    return false
  }
}

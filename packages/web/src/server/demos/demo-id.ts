import { createHash } from 'node:crypto'

/**
 * The daemon's id of an account's demo, made from its canonical link, so that it is known before the daemon is asked.
 */
export const demoIdOf = (account: string, link: string): string =>
  createHash('md5').update(account).update(link).digest('hex')

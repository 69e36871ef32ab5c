import { createHash } from 'node:crypto'

/** The daemon's id of an account's demo, by its canonical link: known before the daemon is asked. */
export const demoIdOf = (account: string, link: string): string =>
  createHash('md5').update(account).update(link).digest('hex')
